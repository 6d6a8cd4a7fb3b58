/*
 * shell - the glue package and the shell that it chooses
 *
 * How the Python files are found, and the few calls of the shell that belong to no request.
 */
#pragma once

#include <Python.h>
#include <stdbool.h>

/*
 * shell_import_glue() - import the package safepyrun without leaving its folder on sys.path
 *
 * library_directory  NULL when the package and safepyrun._guard are imported already
 *
 * Also replaces __main__ by a fresh module, for the cells. Returns 0 or -1 with an exception.
 */
int shell_import_glue(const char *library_directory);

/* choice: "auto", "ipython", "plain". The shell, new, or NULL with an exception. */
PyObject *shell_start(const char *choice);

/* Content of READY, new. */
PyObject *shell_describe(PyObject *shell);

/*
 * shell_warm_up() - shell.warm_up(), as long as it is in nobody's way
 *
 * is_wanted  before each step: whether somebody waits for something else
 */
void shell_warm_up(PyObject *shell, bool (*is_wanted)(void));

/* The working directory joins sys.path for the cells: it could shadow what the guard imports. */
int shell_open_cwd(void);

/* shell.shutdown() and what was registered with atexit. Never fails. */
void shell_shut_down(PyObject *shell);
