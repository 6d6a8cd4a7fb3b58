/*
 * namespace - the names of a host program, and those of its cells
 *
 * Cells run in a dict of their own that begins with what the host's has; when a cell is done, what it
 * made goes back, and nothing else: the host and other cells may have changed theirs meanwhile. A host's callable or module is never replaced, unless its name ends in "_" or a cell
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

/* The names of one cell. Owned. */
struct cell_names {
    PyObject *inner;
    PyObject *before; /* a copy: how they began */
};

/* 0, or -1 with an exception. namespace_end() follows in any case. */
int namespace_begin(struct namespace *space, struct cell_names *ret_names);
/* done: the cell went well, so what it made is the host's too. 0 or -1 with an exception. */
int namespace_end(struct namespace *space, struct cell_names *names, bool done);
