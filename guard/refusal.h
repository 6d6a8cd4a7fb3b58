/*
 * refusal - the card that explains a refusal, shown just before the error of the cell
 *
 * Only for errors that come from a denial on record, directly or wrapped by a library; what the
 * card says is taken from the record alone, so that no object of a cell is asked for its text. The
 * looks are Python's (safepyrun._refusal).
 */
#pragma once

#include <Python.h>

#include <stdint.h>

/*
 * Fetches the glue, before cells could put something else in its place, and adds show_refusal(error) to safepyrun._guard: for
 * errors that do not end the cell. 0, or -1 with an exception.
 */
int refusal_start(void);

/* Shows a card when `error` is a refusal. Never leaves an exception. */
void refusal_show(uint32_t cell, PyObject *error);

/* What was refused, of an error that native code has put in the place of the refusal; else NULL. New. */
PyObject *refusal_note(uint32_t cell, PyObject *error);
