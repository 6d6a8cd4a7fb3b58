/*
 * ctypes_guard - native code is not reached through objects that ctypes made earlier
 *
 * Calling a foreign function raises no audit event, and `ctypes.memmove` is one that everybody finds
 * ready made. So the call slot of ctypes' function type is replaced, in the type and in those derived
 * from it, and so is the making of pointers and structures; their fields and variables of libraries are refused. What
 * is called is judged by the library and symbol at its address. Owns nothing.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* _ctypes was loaded (it may be filled later: then it is seen again). 0, or -1: exception set. */
int ctypes_guard_module(PyObject *module);

/* The event "object.__setattr__" was allowed, as one of a library: the class of a ctypes object says how its memory is
   read, and is not changed by anybody. 0, or -1: exception set. */
int ctypes_guard_class(PyObject *args);
