/*
 * barred_callbacks - what others call for a library, in the middle of anything
 *
 * A callback of a weak reference runs wherever the object dies, one of os.register_at_fork() wherever somebody forks: also in the
 * middle of a tool. A cell's own function shows itself by its frame. A library may need a built-in one, and a thread of a pool
 * registers for whoever asks: so all others are put into a function of ours, in which nothing has a tool's rights.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* The callback so wrapped, new; NULL with an exception. */
PyObject *barred_callback(PyObject *callback);

/* The arguments of weakref.ref() with the callback, their second, so wrapped. New; NULL with an exception. */
PyObject *barred_callback_of_reference(PyObject *args);
