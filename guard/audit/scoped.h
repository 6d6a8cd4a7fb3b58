/*
 * scoped - something to call later, with the scope that it is called under
 *
 * The types of what carry puts in the place of a callback, and of the work items of an executor.
 * Both set the scope around each call. They own what they hold. Not for deciding when one is
 * needed.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* The types. 0, or -1 with an exception set. Idempotent. */
int scoped_start(void);

/* Calls it at once under this scope: a capsule of a scope_entry, or None for none. As PyObject_Call(). */
PyObject *scoped_call(PyObject *capsule, PyObject *callable, PyObject *args, PyObject *keywords);

/* capsule: of a scope_entry, TAKEN, also on failure. New; NULL with an exception set. */
PyObject *scoped_new(PyObject *capsule, PyObject *callable);
PyObject *scoped_item_new(PyObject *capsule, PyObject *item);

/* What it calls, borrowed; NULL when the object is none of ours. */
PyObject *scoped_inner(PyObject *object);

/* The executor's own item, borrowed; NULL when the object is no item of ours. */
PyObject *scoped_item_inner(PyObject *object);
