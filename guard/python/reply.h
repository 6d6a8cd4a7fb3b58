/*
 * reply - the end of a request
 *
 * Every request of the kernel process gets exactly one FRAME_REPLY, also when its content was
 * nonsense or an answer cannot be written as JSON.
 */
#pragma once

#include <Python.h>

#include <stdint.h>

/* content NULL: the reply of a comm message, which has no parts. Never leaves an exception set. */
void reply_send(uint32_t cell, PyObject *content);

/* {"status": "error", "ename", "evalue", "traceback"} for `exception`; a new dict or NULL. */
PyObject *reply_error_content(PyObject *exception);
