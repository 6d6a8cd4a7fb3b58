/*
 * surroundings - what runs by itself while a tool runs
 *
 * Callbacks of weak references, of the collector and of signals run between any two (finalizers: finalizers.h)
 * instructions, the streams and hooks of `sys` whenever something is printed or fails. Where that is code of
 * the cell's, its frame is a barrier. Where it would be a built-in function or a functools.partial, it would
 * run with the tool's rights: such a thing cannot be put there, or takes the rights away while it is there.
 * Only where tools are registered.
 */
#pragma once

#include "guard/audit/signal_handlers.h"
#include "guard/python/py_cleanup.h"

#include <stdbool.h>

#define SURROUNDINGS_NAME 80

/* Patches the places; before user code. Idempotent. -1 with an exception set. */
int surroundings_freeze(void);

/* Is nothing there that a cell has put there and that is no code of its own? */
bool surroundings_hold(const struct signal_handlers *handlers, char ret_changed[SURROUNDINGS_NAME]);

/* Code of the standard library that calls whatever it was handed, at any time: a barrier. */
bool surroundings_are_barrier(const struct signal_handlers *handlers, PyObject *code);
