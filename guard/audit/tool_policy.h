/*
 * tool_policy - the host's own check of one call of a tool
 *
 * policy(obj, args, kwargs, data): returns to accept, raises to refuse; any exception refuses. It gets
 * copies that cannot run anybody's code (guard/audit/plain), and `data` with "ok_dests", what set_data()
 * put there and what the runner of the cell adds. Not for who is asking (tools).
 */
#pragma once

#include "guard/audit/arguments.h"
#include "guard/audit/tools.h"

struct tool_policy {
    PyObject *callable; /* owned; NULL: every call is accepted */
    /* What it accepts are folders to write to. Those the write roots permit by themselves; what the call
       does beyond that, it does not permit. */
    bool only_files;
};

/* Takes what `policy` says about itself. 0, or -1 with TypeError. */
int tool_policy_read(PyObject *policy, struct tool_policy *ret_policy);

#define TOOL_POLICY_WORDS 300

/* ret_words: why not, on TOOLS_REFUSE. */
enum tools_answer tool_policy_ask(const struct tool_policy *policy,
                                  const struct recovered *recovered,
                                  const struct tools_question *question,
                                  char ret_words[TOOL_POLICY_WORDS]);

/* What `data` is under this policy, without what a runner adds: a new dict. NULL with an exception. */
PyObject *tool_policy_data(const struct policy *policy);

/* See tools_set_data(). */
int tool_policy_set_data(PyObject *dict);
