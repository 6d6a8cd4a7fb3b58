/*
 * policy_file - the text of one policy file (TOML), and its keys into a struct policy
 *
 * Parsed by the standard library's tomllib in the interpreter that is still trusted, read in C from
 * exact built-in types. Only the keys of guard/policy/keys.def exist: any other is an error,
 * nothing is ignored. Which files count and which of them wins is decided in policy_files. Before
 * audit_arm() only.
 */
#pragma once

#include "guard/policy/policy.h"

#include <Python.h>

struct policy_file {
    const char *kind; /* "user", "project", "environment" or "argument" */
    const char *path; /* for messages, and for what is relative to it */
    const char *text;
    PyObject *table; /* owned; what the text says */
};

/* Fills `table`. Returns 0, or POLICY_E_* with a line in ret_problem, as each function here adds one for each mistake; free(). */
int policy_file_parse(struct policy_file *file, char **ret_problem);
void policy_file_finish(struct policy_file *file);

/* Called for each key that has been set; `key` as in keys.def. */
typedef void policy_file_note(void *context, const char *key, const char *path);

/* What a file's keys change. */
struct policy_target {
    struct policy *policy;
    PyObject *extra_globals; /* dict: name -> value */
    policy_file_note *note;
    void *context;
};

/* Only the key "preset". Returns 0, also without one; POLICY_E_* with ret_problem set. */
int policy_file_apply_preset(const struct policy_file *file, const struct policy_target *target,
                             char **ret_problem);
/* All other keys. The same. */
int policy_file_apply_keys(const struct policy_file *file, const struct policy_target *target,
                           char **ret_problem);

/* Does the file say `project_policy = true`? Wrong values are found by policy_file_apply_keys(). */
bool policy_file_wants_project(const struct policy_file *file);
