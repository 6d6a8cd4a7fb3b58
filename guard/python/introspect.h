/*
 * introspect - requests that ask about code, and comm messages: content in, one reply out
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

void introspect_start(PyObject *shell); /* borrowed, must live on */

/*
 * introspect_answer() - the content of a reply
 *
 * whom  complete(), inspect() and is_complete() of whatever has them as a shell does
 * type  COMPLETE, INSPECT or IS_COMPLETE
 *
 * Returns a new dict, or NULL with an exception.
 */
PyObject *introspect_answer(PyObject *whom, enum frame_type type, struct bytes text);

/* COMPLETE, INSPECT and IS_COMPLETE, and comm messages. Each sends exactly one reply. */
void introspect_request(const struct frame *frame);
void introspect_comm(const struct frame *frame);
