/*
 * stop - a cell that stands still, and the front end that looks at it
 *
 * The trace function waits here and serves what the kernel process sends, as a question of input()
 * waits for its answer: without the GIL, so that threads of cells go on, and ended by an interrupt, which
 * ends the cell. Holds the frames of the stop for that time: those of user code, innermost first.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

/*
 * stop_here() - tell the front end, and serve it until it says go on
 *
 * traceback  of an exception that has left its frames; NULL: the stack from `frame` outwards
 *
 * Returns 0, or -1 with KeyboardInterrupt: the cell is to end.
 */
int stop_here(PyObject *frame, const char *reason, PyObject *traceback);

/* A frame of the stop, borrowed; NULL without an exception: nothing stands still, or not so many. */
PyObject *stop_frame(Py_ssize_t index);

/* The list of them, new; empty while nothing stands still. */
PyObject *stop_frames(void);
