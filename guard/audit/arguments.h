/*
 * arguments - with what a function was called, read from its frame
 *
 * Parameters by the names in the code object: the positional ones, *args behind them, the keyword-only
 * ones and **kwargs by name; what the function has deleted is left out, what it has rebound is seen as it
 * is now. Not for copies (plain) and not for decisions. Everything is owned by the `struct recovered`.
 */
#pragma once

#include "guard/python/py_cleanup.h"

struct recovered {
    PyObject *self;       /* the first parameter when it was asked for, as it is; else NULL */
    PyObject *args;       /* list */
    PyObject *kwargs;     /* dict */
};
#define RECOVERED_NONE ((struct recovered){NULL, NULL, NULL})

/* The value of the first parameter, new; NULL when there is none (no exception). */
PyObject *arguments_first(PyFrameObject *frame, PyObject *code);

/*
 * arguments_recover() - the arguments of the function that runs in a frame
 *
 * takes_self  the first parameter is `self`: kept apart
 *
 * Returns 0, or -1 with an exception set.
 */
int arguments_recover(PyFrameObject *frame, PyObject *code, int takes_self,
                      struct recovered *ret_recovered);
void recovered_finish(struct recovered *recovered);
#define cleanup_recovered cleanup_with(recovered_finish)

/* The same from a native call: a vector of positional arguments and then the values of kwnames. */
int arguments_of_call(PyObject *const *args, Py_ssize_t positional, PyObject *kwnames,
                      struct recovered *ret_recovered);
