/*
 * error - Python exceptions, turned into what a front end shows
 *
 * The one place where exceptions are taken out of the interpreter. Below the shell's own formatting
 * (format_error) there is a plain one, for exceptions so hostile that the shell fails over them.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

/* The pending exception with its traceback, as a new reference; there must be one. */
PyObject *error_take(void);
/* The reverse of error_take(): raises `exception`, which is borrowed. */
void error_raise(PyObject *exception);

/* Drops the frames above the first one that `is_user_code` knows; keeps all when there is none. */
void error_strip(PyObject *exception, bool (*is_user_code)(PyObject *code));

/*
 * error_shorten() - leave out the middle of a traceback that nobody could read
 *
 * After sys.setrecursionlimit() it can be a million calls long, and take minutes to format. The
 * exceptions that this one came from are shortened too.
 */
void error_shorten(PyObject *exception);

/*
 * error_content() - {"ename", "evalue", "traceback"} of an exception
 *
 * shell  asked for its format_error(); NULL: only the plain form
 *
 * A new dict. Never fails over what the exception's own methods do; NULL without memory only.
 */
PyObject *error_content(PyObject *shell, PyObject *exception);

/* Writes text to stderr of the current cell. Returns 0 or -1 with an exception. */
int error_write(PyObject *text);

/* Writes the pending exception to stderr of the current cell, and clears it. */
void error_print(const char *doing);
