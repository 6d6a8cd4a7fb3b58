/*
 * setup - trusted Python files, run before the guard closes
 *
 * Each becomes a module of its own, named like the file. Its functions are tool code: they keep the
 * rights of a library when a cell calls them. Its public names (__all__, or what does not begin
 * with "_" and is no module) are put where the first cell finds them, with the variables of
 * [extra_globals]. An error in a file is an error of the whole session. Before audit_arm(), and
 * before the shell starts.
 */
#pragma once

#include "guard/policy/policy.h"

#include <Python.h>

/* Reads and compiles the files only: for `safepyrun policy check`. 0, or -1 with a sentence. */
int setup_check(const struct policy *policy, char **ret_problem);

/* The user's config.py, if there is one: it registers tools. An error in it is a warning in the log. Cells
   do not write it. 0, or -1: exception. */
int setup_config(struct policy *policy);

/*
 * setup_run() - run the files in their order
 *
 * names  dict to which the public names are added
 *
 * Returns 0, or -1 with a sentence in ret_problem: file, line, error; free().
 */
int setup_run(struct policy *policy, PyObject *names, char **ret_problem);

/* The values of [extra_globals] that the policy's mode lets through, into `names`. 0, or -1:
 * exception. */
int setup_add_globals(const struct policy *policy, PyObject *extra_globals, PyObject *names);
