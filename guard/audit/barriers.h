/*
 * barriers - code of libraries below which nothing has a tool's rights
 *
 * It calls whatever it was handed, or what anybody has put into a table, and that may be a built-in function: no frame says whose it is
 * then. Logging, copying, showing, a function chosen by the type of its argument, finalizers, signal handlers. Being one takes
 * rights away and gives none, so the file name in a code object may decide. Only where tools are registered, as part of surroundings.h.
 */
#pragma once

#include "guard/audit/signal_handlers.h"
#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* display_hook: sys.displayhook, or NULL. Again for what has been loaded since. -1 with an exception set. */
int barriers_remember(PyObject *display_hook);

bool barriers_include(const struct signal_handlers *handlers, PyObject *code);
