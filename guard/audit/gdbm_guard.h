/*
 * gdbm_guard - a database of GNU dbm is made anew only where it may be written
 *
 * reorganize() writes a second file beside the database and gives it the database's name, the one that it was opened with: a folder
 * that has become a link since then leads somewhere else. So that name is asked about once more. Opening is a row of interpose.def.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* Returns 0, also when the module is not filled yet; -1 with ImportError set when it cannot be guarded. */
int gdbm_guard_module(PyObject *module);
