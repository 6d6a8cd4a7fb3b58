/*
 * execute - an execute request, from its content to its reply
 *
 * What surrounds a cell: defaults of the content's fields, the shell's begin and end, the error as
 * a message, user expressions, payloads. How the cell itself runs is in cell.h.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

/* What this folder leaves to others. */
struct execute_hooks {
    /* Just before the error of a cell is shown; `error` is borrowed. Leaves no exception set. */
    void (*before_error)(uint32_t cell, PyObject *error);
    /* Around a cell that is only tried. */
    void (*begin_trial)(void);
    void (*end_trial)(void);
    /* What the text of an error does not say; new, or NULL without an exception. */
    PyObject *(*explain)(uint32_t cell, PyObject *error);
    /* Whether the policy lets a name of run_answer.h reach the code. */
    bool (*permits_name)(const char *name);
    /* Before the reply of each cell. */
    void (*before_reply)(void);
};

void execute_start(PyObject *shell, const struct execute_hooks *hooks); /* borrowed, must live on */

/* Execution count of this cell while it runs; 0 for any other. */
long execute_count(uint32_t cell);

/* Handles FRAME_EXECUTE: sends exactly one reply, whatever happens. */
void execute_request(const struct frame *frame);

/* For _guard.run_cell(): a cell inside of the running one. A new dict, or NULL. */
PyObject *execute_nested(PyObject *source, bool silent);

/* {"execution_count", "msg_type", "msg_id", "session", "metadata"} of the running or last cell or comm message;
   new. */
PyObject *execute_context(void);
void execute_set_context(PyObject *context);
