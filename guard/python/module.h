/*
 * module - safepyrun._guard, the face of the C code to the Python glue
 *
 * What each function does is said in guard/glue/safepyrun/_shell.py. Cells can call them too: none
 * gives a right that a cell does not have.
 */
#pragma once

#include <Python.h>

/* The module, new. `more_methods` (NULL-terminated, or NULL) are added: the module host's serve().
 */
PyObject *module_new(PyMethodDef *more_methods);

/* Log lines are kept until the link takes them: call once READY is sent. */
void module_release_log(void);
