/*
 * namespace - the names of a host program, and those of its cells
 *
 * Cells run in a dict of their own that begins with what the host's has; when a cell is done, what it
 * made goes back. A host's callable or module is never replaced, unless its name ends in "_" or a cell
 * made it. Functions that cells define keep seeing what later cells change, as long as cells do not
 * overlap; one that runs beside another gets a dict for itself. Not for rules.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

struct namespace {
    PyObject *outer;    /* the host's, owned */
    PyObject *inner;    /* of the cells */
    PyObject *builtins; /* a copy: a cell's changes of `__builtins__` are its own */
    PyObject *exported; /* name -> address of what a cell put there last */
    bool only_suffix;   /* export="suffix": names that end in "_" */
    unsigned running;   /* cells under way */
};

/* outer: a dict, borrowed. 0 or -1 with an exception. */
int namespace_init(struct namespace *space, PyObject *outer, bool only_suffix);
void namespace_finish(struct namespace *space);

/* The dict for one cell, new; NULL with an exception. namespace_end() follows in any case. */
PyObject *namespace_begin(struct namespace *space);
/* done: the cell went well, so its names are the host's too. 0 or -1 with an exception. */
int namespace_end(struct namespace *space, PyObject *inner, bool done);
