/*
 * py_cleanup - ownership of Python references that shows where the variable is declared
 *
 * A `cleanup_py` variable owns its reference (or is NULL); every other PyObject pointer is borrowed.
 * The release may run user code (__del__): never hold one across a point where a user's object must
 * not be released, and never across a release of the GIL.
 */
#pragma once

#include "guard/link/cleanup.h"

#include <Python.h>

/* void *: the attribute hands over the address of a PyObject *, a PyFrameObject *, … alike. */
static inline void cleanup_py_at(void *variable)
{
    PyObject *object = *(PyObject **)variable;

    Py_XDECREF(object);
}

#define cleanup_py cleanup_with(cleanup_py_at)

/* A new reference to a borrowed object; NULL stays NULL. */
static inline PyObject *py_own(PyObject *borrowed)
{
    Py_XINCREF(borrowed);
    return borrowed;
}

/* Of a new list, dict, tuple or set that is the guard's own: the collector, whom any library may ask for all objects, does not
   lead there. Again when something was put into it: a dict becomes the collector's then. NULL stays NULL. */
static inline PyObject *py_hide(PyObject *object)
{
    if (object != NULL)
        PyObject_GC_UnTrack(object);
    return object;
}

/* dict[name] = value, which is TAKEN; -1 with an exception set, also where there is no value. */
static inline int py_set(PyObject *dict, const char *name, PyObject *value)
{
    cleanup_py PyObject *owned = value;

    return owned != NULL ? PyDict_SetItemString(dict, name, owned) : -1;
}
