/*
 * run_request - a run as one JSON object: {"code", "input_data", "policy"}
 *
 * What `safepyrun run --request` reads from standard input: the Python function run_code() writes it, also
 * into a container, where no file is shared. The policy is a RunnerPolicy's fields; here they become the
 * text of a policy file, so that one loader judges both. Also makes the names that the code finds.
 */
#pragma once

#include "kernel/commands/run_session.h"

struct run_request {
    struct buffer code;
    struct buffer names; /* as run_settings has it */
    struct policy_sources sources;
    long timeout_seconds; /* -1 where the policy does not say */
    long memory_mb;
    long output_kb;
};

/* Returns 0, or -1 with a sentence. run_request_finish() in both cases. */
int run_request_read(struct bytes text, struct run_request *ret_request, char **ret_error);

/* The names for --input: `input_data`, and its keys where they can be names. Returns as above. */
int run_request_read_input(struct bytes text, struct buffer *ret_names, char **ret_error);
void run_request_finish(struct run_request *request);

/* What it says, into the settings; borrowed from it. */
void run_request_apply(const struct run_request *request, struct run_settings *settings);
