/*
 * policy_file - the text of a policy file (TOML) into a struct policy
 *
 * Parsed by the standard library's tomllib in the interpreter that is still trusted, read in C from
 * exact built-in types. Only the keys of guard/policy/keys.def exist: any other is an error, nothing
 * is ignored. Runs before audit_arm() only; tomllib is dropped from sys.modules afterwards.
 */
#pragma once

#include "guard/policy/policy.h"

#include <Python.h>

/*
 * policy_file_apply() - the file's keys over what the policy holds
 *
 * text         the whole file
 * name         for messages
 * ret_problem  file, line where known, key, and what would be right; free()
 *
 * Returns 0 (an empty text changes nothing); POLICY_E_* with ret_problem set.
 */
int policy_file_apply(struct policy *policy, struct bytes text, const char *name, char **ret_problem);
