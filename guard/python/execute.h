/*
 * execute - an execute request, from its content to its reply
 *
 * What surrounds a cell: defaults of the content's fields, the shell's begin and end, the error as
 * a message, user expressions, payloads. How the cell itself runs is in cell.h.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

void execute_start(PyObject *shell); /* borrowed, must live on */

/* Handles FRAME_EXECUTE: sends exactly one reply, whatever happens. */
void execute_request(const struct frame *frame);

/* For _guard.run_cell(): a cell inside of the running one. A new dict, or NULL. */
PyObject *execute_nested(PyObject *source, bool silent);

/* {"execution_count", "msg_id", "session", "metadata"} of the running or last request; new. */
PyObject *execute_context(void);
