/*
 * aside - a thread that answers questions while the main thread runs a cell
 *
 * Between the byte codes of the cell it takes the GIL, and answers with trusted glue of its own
 * (safepyrun._aside) that calls nothing of the user's: see guard/link/aside.h for how it is asked. Raw as it
 * is, it has a Python state only while it answers, so that no cell finds it. Not for what has an effect.
 * It starts with the first question; a copy of the process has none until it is asked itself.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

#include <stdbool.h>

/* What it needs before the first cell; no thread yet. shell: borrowed, must live on. Returns 0 or -1 with an exception. */
int aside_start(int link_fd, PyObject *shell);

/* Between two requests: a cell that took all threads there may be is over, and what was asked meanwhile waits. */
void aside_catch_up(void);

/* Where the questions come from; -1: from nowhere. */
int aside_fd(void);

/* The handler of ASIDE_SIGNAL, which Python calls between two byte codes of whatever runs. */
bool aside_is_handler(PyObject *object);

/* Whether the thread is there; whether it is at work: then a fork would copy what it holds. */
bool aside_has_thread(void);
bool aside_is_answering(void);

/* In a copy that takes over, before it has a thread: what was asked, or ordered, was meant for the process that died. */
void aside_forget(void);

/* In a process that was forked to answer this: the answer goes to where the questions come from. */
void aside_answer_here(const struct frame *frame);
