/*
 * introspect - requests that ask about code, and comm messages: content in, one reply out
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

void introspect_start(PyObject *shell); /* borrowed, must live on */

/* Each sends exactly one reply. */
void introspect_complete(const struct frame *frame);
void introspect_inspect(const struct frame *frame);
void introspect_is_complete(const struct frame *frame);
void introspect_comm(const struct frame *frame);
