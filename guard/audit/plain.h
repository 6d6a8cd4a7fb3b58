/*
 * plain - copies of objects that cannot run anybody's code
 *
 * What a host's callback sees of a guarded call: exact built-in types, made anew from the C storage of
 * what was there. Any other object, also of a class that is derived from one of these in Python, is replaced by a stand-in that knows the name of its type and copies
 * of the plain entries of its __dict__. So neither __eq__ nor __hash__, __str__ or __fspath__ of a cell
 * runs inside the hook. Paths of pathlib are made anew from their text. Not for decisions.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* Before user code. -1 with an exception set. */
int plain_init(void);

/* A new copy; NULL with an exception set when memory is short. Releases no object of a cell. */
PyObject *plain_copy(PyObject *object);
