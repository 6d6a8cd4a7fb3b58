/*
 * frame_locals - variables of a running function, written from outside
 *
 * Up to 3.12 what compat.frame_locals() returns is a copy; later it is the variables themselves, and
 * nothing is left to do here.
 */
#pragma once

#include <Python.h>

/*
 * frame_locals_write_back() - what was assigned in the copy reaches the variables
 *
 * Nothing is unset: the byte code may count on it.
 */
void frame_locals_write_back(PyObject *frame, PyObject *locals);
