/*
 * outside - allow(f, outside=True) while set-up files run, and the guard's side of a call
 *
 * What the function is for depends on the process: in the guard a stand-in takes its place, in a
 * tool process it is what a call runs, in a host program, which has no OS ring, it is an ordinary
 * tool. The guard's side is a convenience: it holds a socket, encodes arguments, waits. All that
 * decides is on the other side, in a process that no cell reaches.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

enum outside_role {
    OUTSIDE_HOST,    /* a host program */
    OUTSIDE_NOT_NOW, /* a guard, but no set-up file runs */
    OUTSIDE_GUARD,   /* a set-up file of the guard runs */
    OUTSIDE_TOOL_PROCESS,
};

void outside_set_role(enum outside_role role);

/*
 * outside_replace() - stand-ins in the place of the functions that were registered
 *
 * names  the namespace of a set-up file that has run
 *
 * Returns 0, or -1 with an exception.
 */
int outside_replace(PyObject *names);

/* Is this such a stand-in? */
bool outside_is_stand_in(PyObject *object);

/*
 * outside_start() - no further tools
 *
 * bell  the starter's; TAKEN. Kept and told the names when there are tools, else closed: the
 * starter ends.
 *
 * Returns 0, or -1 with an exception.
 */
int outside_start(int bell);

/* The bell, for what must keep it open; -1: there is none. */
int outside_bell(void);

int outside_functions_add(PyObject *module);
