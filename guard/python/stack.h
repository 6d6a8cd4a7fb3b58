/*
 * stack - the Python frames of this thread, from the innermost outwards
 *
 * A walker owns the frame on which it stands, in a `cleanup_py` variable. Nothing here looks into a frame's
 * variables.
 */
#pragma once

#include "guard/python/compat.h"
#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/*
 * stack_end_is_certain() - after a walk that met nobody: was that the end?
 *
 * Frame objects are made when they are asked for, and where there is no memory for one a walk ends like beyond the
 * outermost. So a cell that has used up all memory must not be taken for nobody. False: it may have been
 * that. Two system calls.
 */
bool stack_end_is_certain(void);

/* A new reference; NULL without a frame. */
static inline PyObject *stack_innermost(void)
{
    return py_own((PyObject *)PyEval_GetFrame());
}

/* Gives the frame back for the one that called it; NULL beyond the outermost. */
static inline void stack_step_out(PyObject **frame)
{
    PyObject *inner = *frame;

    *frame = compat.frame_back(inner);
    Py_DECREF(inner);
}

/* A new reference. */
static inline PyObject *stack_code(PyObject *frame)
{
    return (PyObject *)PyFrame_GetCode((PyFrameObject *)frame);
}
