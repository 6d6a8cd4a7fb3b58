/*
 * debug - a front end's debugger: frames in, answers out
 *
 * The Debug Adapter Protocol ends here: the kernel process answers what needs no interpreter and sends
 * the rest, one request after the other. The answers are put together by safepyrun._dap; where to stop,
 * what is user code and how it is judged is decided in C. Nothing is imported, traced or allocated
 * before the first frame, and none comes unless a front end opens its debugger.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

#include <stdbool.h>

enum { DEBUG_THREAD = 1 }; /* the one that runs cells, as front ends know it */

/* shell is borrowed and must live on. */
void debug_start(PyObject *shell);

/* FRAME_DEBUG between two requests. A request gets exactly one reply. */
void debug_request(const struct frame *frame);

/* Around each request of this type: traces it while a front end is attached. */
void debug_begin(enum frame_type type);
void debug_end(void);

/* ---- for this folder -------------------------------------------------------------------------- */

/* FRAME_DEBUG while a cell runs. Returns 0 or -1. */
int debug_take_while_running(const struct frame *frame);

bool debug_is(const struct frame *frame, const char *kind);
int debug_take_settings(const struct frame *frame);
/* The request in a frame: a dict, new, or NULL. */
PyObject *debug_decode(const struct frame *frame);
/* Its command, borrowed; NULL when it has none. */
PyObject *debug_command(PyObject *request);

/* DEBUG_REPLY to a request that came with a number; whatever happens there is one. No exception is left. */
void debug_answer(const struct frame *frame, PyObject *request);
void debug_answer_empty(const struct frame *frame, PyObject *request);

/* The lines of a cell's text that have code, in order: a new list, or NULL. */
PyObject *debug_code_lines(PyObject *text);

/* The frames of a traceback, outermost first: a new list, or NULL. */
PyObject *debug_traceback_frames(PyObject *traceback);

/* What variablesReference stood for is over. */
void debug_forget_references(void);
