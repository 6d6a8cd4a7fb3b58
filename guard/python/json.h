/*
 * json - Python objects from and to JSON text
 *
 * For content and metadata of messages. The work is done by safepyrun._json, which takes hold of
 * CPython's own encoder at start: a cell that patches the module json does not change the link.
 */
#pragma once

#include "guard/link/bytes.h"

#include <Python.h>

/* After the glue can be imported. Returns 0 or -1 with an exception. */
int json_start(void);

/* A new object, or NULL with ValueError. */
PyObject *json_decode(struct bytes text);

/* A new bytes object, or NULL with the TypeError or ValueError that names what cannot be shown: what lies deeper in each
   other than the kernel process takes, for one. */
PyObject *json_encode(PyObject *value);
