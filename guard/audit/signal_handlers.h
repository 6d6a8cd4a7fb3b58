/*
 * signal_handlers - is one of them no code of its own?
 *
 * A handler runs between any two instructions of a tool. A function shows itself by its frame; a built-in function or a
 * functools.partial does not, and who has registered it is not to be seen either: a library calls signal.signal() for whoever asks. So
 * they are looked at when a tool needs its right. asyncio's own is a functools.partial of a method: the code that such a one begins with
 * is a barrier. Only where tools are registered, as part of surroundings.h.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* -1 with an exception set. Once. */
int signal_handlers_remember(void);

/* Python's own for SIGINT, or the one that was there before any cell: what cells and libraries put back; or the guard's. */
bool signal_handlers_are_ours(PyObject *handler);

bool signal_handlers_hold(void);

bool signal_handlers_begin_with(PyObject *code);
