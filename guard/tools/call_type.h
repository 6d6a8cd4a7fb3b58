/*
 * call_type - a call of a tool that runs outside, as the guard's glue holds it
 *
 * One socket for each call, so that calls of threads and tasks do not meet. Closing it cancels the
 * call. What the tool prints goes to the streams of the cell that waits, in the order in which it
 * was written, before what it answers.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* On the main thread, before cells. 0 or -1 with an exception. */
int call_type_start(void);

/*
 * call_type_new() - send a call on its way
 *
 * bell       the starter's; -1: there is none, which is an exception
 * arguments  [list, dict]; only JSON can cross (value.h)
 *
 * Returns a new object with fileno(), take(), wait() and close(), or NULL with an exception. wait()
 * lets the GIL go, and ends with the exception of a signal handler.
 */
PyObject *call_type_new(int bell, unsigned tool, PyObject *arguments);
