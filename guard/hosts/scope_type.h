/*
 * scope_type - safepyrun._guard.Audit, what mk_audit() returns
 *
 * Calling it gives a context manager; the code inside of `with` is guarded. set_data() and add_imports()
 * are for the host, between two entries. Both types are constant and show nothing of what they hold.
 */
#pragma once

#include <Python.h>

/* 0 or -1 with an exception. */
int scope_type_add(PyObject *module);
