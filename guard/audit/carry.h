/*
 * carry - what is called later is called under the scope that handed it over
 *
 * A built-in function has no code object that could carry a mark, so a cell could hand one to somebody
 * who calls it later, in another context: an executor's thread, atexit, the callback of a weak reference,
 * an event loop with a fresh Context. Where such things are handed over in C, what is handed over takes
 * the scope along. Nobody may set the variable that carries scopes. Only in host programs: a guard process
 * is guarded all over. Not for what a host itself takes out of a cell's names and calls: that is its own
 * doing.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* The callable with the scope in force, new; itself where there is none. NULL with an exception. */
PyObject *carry_callable(PyObject *callable);

/* Patches the places. 0, or -1 with an exception. Idempotent. */
int carry_start(void);
