/*
 * frame_view - a frame as a host's callback may look at it
 *
 * It answers as a frame does, but with copies: f_locals are plain copies (guard/audit/plain), of f_globals
 * there is what names the module. So walking the stack in a callback, as one did with fastaudit, meets no
 * object of a cell. Not for decisions in C, which look at frames themselves. Holds its frame.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* The innermost Python frame of this thread, new; None without one; NULL with an exception. */
PyObject *frame_view_innermost(void);

/* The same of a frame (borrowed). */
PyObject *frame_view_of(PyFrameObject *frame);

/* The frame behind a view, borrowed; NULL (no exception) for any other object. */
PyFrameObject *frame_view_frame(PyObject *object);

/* "a.f -> … -> b.g": who called whom, outermost first, without the frames of the import system; a new str, or NULL
   with an exception. Of a long chain the first name is told and the last ones. */
PyObject *frame_view_chain(void);
/* "module.qualified_name" of one frame, new. */
PyObject *frame_view_name(PyFrameObject *frame);
