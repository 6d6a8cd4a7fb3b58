/*
 * run_answer - what a program that runs code without Jupyter gives to it and wants back
 *
 * `safepyrun run` puts a third part into EXECUTE: names that the code finds, and the order to answer with
 * a value in JSON instead of something to look at. Not for cells of a notebook, which never have it.
 */
#pragma once

#include "guard/link/bytes.h"

#include <Python.h>

/*
 * run_answer_take_names() - {"names": {…}} into the namespace
 *
 * permits  whether the policy lets a name reach the code; NULL: all
 *
 * Returns 0 or -1 with an exception.
 */
int run_answer_take_names(PyObject *namespace, struct bytes part, bool (*permits)(const char *name));

/*
 * run_answer_content() - {"result", "exit_code"}: the variable `result`, else the value of the last
 * expression, in JSON types; what JSON has no type for as its str(). exit_code for SystemExit alone.
 *
 * value, error  of the code; either may be NULL
 *
 * Returns a new dict, or NULL with an exception.
 */
PyObject *run_answer_content(PyObject *namespace, PyObject *value, PyObject *error);
