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

#include <signal.h>
#include <stdbool.h>

/* -1 with an exception set. Once. */
int signal_handlers_remember(void);

/* Python's own for SIGINT, or the one that was there before any cell: what cells and libraries put back; or the guard's. */
bool signal_handlers_are_ours(PyObject *handler);

/* Those that are Python's to call; asked once a question of a tool's, because asking for all takes a microsecond. */
struct signal_handlers {
    PyObject *items[NSIG]; /* owned */
    size_t count;
    bool are_known; /* else they neither hold nor let anything through */
};

void signal_handlers_read(struct signal_handlers *ret_handlers);
void signal_handlers_finish(struct signal_handlers *handlers);
#define cleanup_signal_handlers __attribute__((cleanup(signal_handlers_finish)))

bool signal_handlers_hold(const struct signal_handlers *handlers);
/* Is it the code that a functools.partial among them begins with? */
bool signal_handlers_begin_with(const struct signal_handlers *handlers, PyObject *code);
