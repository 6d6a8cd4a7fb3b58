/*
 * mapping_guard - memory is mapped where there is none
 *
 * mmap() gives no address, and with MAP_FIXED that is 0: whatever lies there up to its length is replaced, the program itself where
 * that is not moved when it starts. Linux lets only root do so. The event of a mapping does not tell its flags.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* Returns 0, also when the module is not filled yet; -1 with ImportError set when it cannot be guarded. */
int mapping_guard_module(PyObject *module);
