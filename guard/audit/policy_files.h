/*
 * policy_files - all policy files of a session, in their order
 *
 * preset -> the user's own -> the project's, if the user's says so -> SAFEPYRUN_POLICY -> --policy:
 * a later file wins, key by key; the last preset that is named is what all keys start from. A file
 * that is there and cannot be read or is wrong is an error: nothing falls back to less. Before
 * audit_arm() only.
 */
#pragma once

#include "guard/policy/policy.h"

#include <Python.h>

struct policy_text {
    char *kind;
    char *path;
    char *text;
    char *problem; /* "": it could be read */
};

enum { POLICY_KEYS_MAX = 64 };

/* What the files made of a policy besides its own values. */
struct policy_result {
    PyObject *extra_globals;        /* dict: name -> value; owned */
    char *origins[POLICY_KEYS_MAX]; /* by the rows of policy_keys(); NULL: the preset; owned */
    bool uses_project;              /* project_policy = true */
    char *paths;                    /* of the files in force: "a, b"; "" for none; owned */
    char *left_out;                 /* a project's file that does not count, or NULL; owned */
};

/*
 * policy_files_apply() - the files' keys over what the policy holds
 *
 * ret_problem  NULL before; a line for each mistake: file, line where known, key, and what would be right; free()
 *
 * Returns 0; POLICY_E_* with ret_problem set.
 */
int policy_files_apply(struct policy *policy, const struct policy_text *texts, size_t count,
                       struct policy_result *ret_result, char **ret_problem);
void policy_result_finish(struct policy_result *result);

/* Which file a key comes from, borrowed; NULL for the preset. */
const char *policy_result_origin(const struct policy_result *result, const char *key);
