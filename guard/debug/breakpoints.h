/*
 * breakpoints - what the front end wants to see, and the names it has for cells
 *
 * A front end names a cell by a hash of its text (guard/link/murmur), Python by the file name that the
 * shell gave it: tracebacks must not change because of a debugger. Here the two meet. The kernel process
 * owns the settings and sends them whole; this is the copy that is looked at on every line. Not for
 * deciding where to stop: see tracer.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

/* Takes {"attached", "prefix", "breakpoints", "filters"}. Returns 0 or -1 with an exception. */
int breakpoints_set(PyObject *settings);

bool breakpoints_is_attached(void);
/* Shall every exception stop, or the one that ends a cell? */
bool breakpoints_stops_at_raised(void);
bool breakpoints_stops_at_uncaught(void);

/* A cell was given a name: what the user wrote, and what it was transformed to. Returns 0 or -1. */
int breakpoints_name_cell(PyObject *filename, PyObject *text, PyObject *source);

/*
 * breakpoints_at() - is there one on this line of this code?
 *
 * ret_condition  borrowed; NULL when it has none
 */
bool breakpoints_at(PyObject *code, int line, PyObject **ret_condition);

/* What the front end calls this file name, and by how much its line numbers are higher. New, or NULL. */
PyObject *breakpoints_path(PyObject *filename, long *ret_offset);

/* The text of the cell that the front end calls so, new; NULL, maybe without an exception. */
PyObject *breakpoints_text(PyObject *path);
