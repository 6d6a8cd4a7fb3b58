/*
 * weak_callbacks - callbacks of weak references that a library has put there
 *
 * A callback runs wherever the object dies, also in the middle of a tool. A cell's own has to be a function
 * (surroundings.h), which its frame shows. A library may need a built-in one, and a thread of a pool
 * makes a reference for whoever asks: so that is put into a function of ours, in which nothing has a tool's rights.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* The arguments of weakref.ref() with the callback, their second, so wrapped. New; NULL with an exception. */
PyObject *weak_callbacks_bar(PyObject *args);
