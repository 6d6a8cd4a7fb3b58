/*
 * wrapped - the refusal inside of an exception that a library put around it
 *
 * httpx, requests and many others answer an OSError with an exception of their own ("cannot
 * connect"), which tells the user the wrong thing. Only for what libraries did on the way: a
 * refusal that a cell has caught itself is the cell's affair. Not for decisions: nothing depends on
 * what is shown.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

/*
 * wrapped_refusal() - the exception to show
 *
 * exception     TAKEN
 * is_user_code  knows the code objects of cells
 *
 * Returns `exception`, or the refusal behind it with a traceback that leads from the cell to the
 * refused call. Never NULL, and never with an exception set.
 */
PyObject *wrapped_refusal(PyObject *exception, bool (*is_user_code)(PyObject *code));

/*
 * A library that swallows a refusal may end with an error that says something else ("out of pty devices"): a note on a
 * built-in OSError that is no refusal itself. A class of a cell's is not asked. refused: NULL for nothing.
 */
void wrapped_tell(PyObject *exception, const char *refused);
