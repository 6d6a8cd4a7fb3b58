/*
 * loaded_libraries - dl_iterate_phdr() for those who call it through ctypes, without the native call
 *
 * threadpoolctl looks for BLAS and OpenMP in this way. The real function hands out pointers, whose types are
 * whatever a cell has put into threadpoolctl; here the callback gets plain Python objects with the names of the
 * libraries, which is all that it reads. Not for deciding who may ask. Owns nothing.
 */
#pragma once

#include <Python.h>

/*
 * loaded_libraries_tell() - call back for each library until the callback answers something else than 0
 *
 * function_type  ctypes' type of functions, as it came from C
 * args           the arguments of the call: first the callback, a ctypes function around a callable
 *
 * A new int, or NULL with an exception. Runs Python code.
 */
PyObject *loaded_libraries_tell(PyTypeObject *function_type, PyObject *args);
