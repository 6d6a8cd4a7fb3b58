/*
 * trial - what a cell that is only tried would have changed
 *
 * The kernel process takes the session back afterwards; here the names of the namespace are compared,
 * and what is new, bound anew or gone is printed. Objects that were changed in place are not told.
 */
#pragma once

#include <Python.h>

/* Borrowed; must live on. Returns 0 or -1 with an exception. */
int trial_start(PyObject *shell);

/* Around the cell. Neither leaves an exception set: a trial goes on without the words. */
void trial_begin(void);
void trial_end(void);
