/*
 * input - input() and getpass.getpass() of the cells
 *
 * The question goes to the front end through the kernel process and the answer comes back the same
 * way; the wait can be interrupted. On the main thread only, because only that reads the link.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

/* Replaces builtins.input. Returns 0 or -1 with an exception. */
int input_start(void);

/* Replaces getpass.getpass once somebody has imported it or `source` names it. Never fails. */
void input_patch_getpass(PyObject *source);

/* Whether the running request's front end answers questions. */
void input_allow(bool allowed);

/* The answer (new), or NULL: StdinNotImplementedError, EOFError, KeyboardInterrupt. */
PyObject *input_ask(PyObject *prompt, bool password);
