/*
 * guard_trial - start a guard as a kernel would, hear what it says, end it
 *
 * The one proof that a kernel would start: the same program, policy files, set-up files and OS
 * ring, in the current directory. No cell runs. For `safepyrun doctor`, never on the way to a
 * running kernel.
 */
#pragma once

#include "guard/link/buffer.h"
#include "kernel/config/policy_sources.h"

#include <jansson.h>

struct guard_trial {
    json_t *ready;   /* content of READY; NULL when there was none */
    json_t *os_ring; /* its second part: guard/ring/report.h */
    char *problem;   /* why there was no READY; NULL when there was */
    long elapsed_ms;
};

/* python: NULL for installation_python(). Takes at most a minute; writes nothing. */
void guard_trial_run(const char *python, const struct policy_sources *sources,
                     struct guard_trial *ret_trial);
void guard_trial_finish(struct guard_trial *trial);
