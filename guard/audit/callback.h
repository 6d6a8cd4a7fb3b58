/*
 * callback - a host's function runs in the middle of a judgement
 *
 * A policy of a call (later also before_deny and its kin) is trusted code of the host: while it runs in
 * this thread, the guard lets it do what it wants, but not what user code does that it calls. Its
 * arguments have to be plain copies (guard/audit/plain). No garbage is collected meanwhile: finalizers
 * of a cell's objects would run in the middle of it. Not for decisions; owns nothing.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* The result, new; NULL with an exception set. */
PyObject *callback_call(PyObject *callable, PyObject *args);

/* Does the innermost frame belong to a callback, with no user code in between? Asked by the hook. */
bool callback_is_asking(void);

/* The same question while none runs costs one load: */
extern _Thread_local unsigned callback_depth;
