/*
 * runner_type - safepyrun._guard.Runner, what RunPython is made of
 *
 * A Runner holds a namespace of the host and a scope; run(source) is an awaitable that runs one cell in
 * it. The order of the steps, the rules and the scope are here, where no cell can change them; taste
 * (where the namespace comes from, how sources are named) is in glue/safepyrun/_runpython.py.
 */
#pragma once

#include <Python.h>

/* The types, made once; added to the module. 0 or -1 with an exception. */
int runner_type_add(PyObject *module);
