/*
 * variables - what is in the namespace, told without running anything
 *
 * Names, types, sizes and the short values of exact built-in types, all read in C: no __repr__, __len__,
 * __getattr__ or property of anybody's is called. What the shell itself put there is left out. Not for
 * looking into objects: that is inspect_request, and a cell.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

/* Before the first user code: what is in the namespace now is the shell's. Returns 0 or -1. */
int variables_start(PyObject *shell);

/* What the shell had put there: name -> value, new. */
PyObject *variables_initial(void);

/* Content of the reply; new, or NULL with an exception. In any thread. */
PyObject *variables_answer(void);

/* Answers FRAME_VARIABLES. Sends exactly one reply. */
void variables_request(const struct frame *frame);
