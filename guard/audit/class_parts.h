/*
 * class_parts - what is in a class, without asking its metaclass
 *
 * `type.__dict__` and `__mro__` as attributes would go through a metaclass that a cell may have written. Here
 * they are read by the descriptors of `type` itself. Not for decisions.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* Before user code. -1 with an exception set. Idempotent. */
int class_parts_init(void);

/* New; NULL with an exception set. */
PyObject *class_space(PyTypeObject *type); /* a mappingproxy: its own names */
PyObject *class_mro(PyTypeObject *type);   /* a tuple */

/* Made at run time, and can be changed. */
bool class_is_open(PyObject *object);

/* Does the class, or one above it, have a function of this exact name? */
bool class_has_function(PyTypeObject *type, PyObject *name);
/* Whether it answers for this name itself, a property for one, and what the object has is not asked. */
bool class_hides(PyTypeObject *type, PyObject *name);

/* Of exactly these types. */
bool class_is_function(PyObject *object);      /* written in Python */
bool class_is_bound_method(PyObject *object);
bool class_is_partial(PyObject *object);       /* functools.partial */
/* What is found in a class, a method, a property, …: does code run when it is asked for, or called? */
bool class_attribute_runs(PyObject *value);
/* A staticmethod, classmethod or property: up to three functions in it, borrowed; NULL for none. */
void class_unwrap(PyObject *object, PyObject *ret_parts[3]);
/* What a staticmethod, classmethod, property or functools.partial hands on to, which can be changed in place by __init__ or
   __setstate__: a new tuple. NULL without an exception for any other object. */
PyObject *class_wrapped(PyObject *object);
