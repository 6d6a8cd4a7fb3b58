/*
 * tool_functions - what allow() and its kin do, for the Python glue
 *
 * Functions of safepyrun._guard: registering a tool, the data of policies, recovered arguments, whether a
 * path lies in a write root. Each that changes anything raises an audit event first, which the hook
 * refuses to whoever is under guard. Not for decisions. Owns nothing.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* Adds the functions to the module. -1 with an exception set. */
int tool_functions_add(PyObject *module);
