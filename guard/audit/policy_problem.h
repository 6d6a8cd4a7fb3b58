/*
 * policy_problem - what is wrong with a policy file, in words: file, line, key, what would be right
 *
 * For the person who wrote it; used by the still trusted interpreter, by kernels and by
 * `safepyrun policy check` alike. Not for deciding what is wrong. All results are new strings;
 * free().
 */
#pragma once

#include "guard/audit/policy_file.h"

/* "policy file F, line 3"; without the line where the key cannot be found. */
char *policy_problem_place(const struct policy_file *file, const char *key);
char *policy_problem_place_of_item(const struct policy_file *file, const char *key, size_t item);

/* There is no such key; the nearest one is named. */
char *policy_problem_unknown(const struct policy_file *file, const char *key);

/* The key is one of keys.def and its value is not: a wrong type, a wrong entry, out of range. */
char *policy_problem_value(const struct policy_file *file, const char *key, PyObject *value);

/* The key may not stand in this file, whatever its value. */
char *policy_problem_not_here(const struct policy_file *file, const char *key);

/* One line more, TAKEN; of very many the last ones are left out. `problems` begins with NULL. */
void policy_problem_add(char **problems, char *problem);

/* What tomllib has raised, or the decoder of UTF-8. Takes the exception that is set. */
char *policy_problem_toml(const struct policy_file *file);
