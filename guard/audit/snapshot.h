/*
 * snapshot - what a function can reach by name, remembered, and compared later
 *
 * A cell can change what a tool stands on without touching the tool: a global with a path, a default, the
 * function that it calls, a module's attribute. So everything that the function's code names is followed
 * when the guard closes: globals and built-ins, attributes of modules, methods of classes, and what these
 * name in turn. Functions, classes and modules are compared by identity; the data of the function's own
 * module by value. Not seen: attributes of objects that are no modules or classes, beyond those in the
 * function's own module; what a function is given as an argument. Owns what it remembers.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

struct snapshot;

/* may_change: names among the globals and closures of the function's own module; a tuple of str, or
   NULL. plain: a set, the same one for all that are made at one closing: the dicts whose keys were
   found to be exact str, by address. A module with 10,000 tools is looked through once, not for each. */
struct snapshot *snapshot_new(PyObject *function, PyObject *may_change, PyObject *plain);

/* NULL is nothing. */
void snapshot_free(struct snapshot *snapshot);

/* What a policy stands on as well: a function, or an object with __call__. -1: exception set. */
int snapshot_add(struct snapshot *snapshot, PyObject *callable);

/* The methods of the class whose objects the function is called with. */
int snapshot_add_class(struct snapshot *snapshot, PyObject *type);

/* Is this the code of a function that was remembered, or of one that is made in such a function? */
bool snapshot_names_code(const struct snapshot *snapshot, PyObject *code);
/* Only the first: what such a function makes may close over anything. */
bool snapshot_has_code(const struct snapshot *snapshot, PyObject *code);

#define SNAPSHOT_NAME 200

/* Is everything as it was? If not, ret_changed names the first thing that is not. */
bool snapshot_holds(const struct snapshot *snapshot, char ret_changed[SNAPSHOT_NAME]);

/* Whether all keys of a dict are exact str: looking one up asks nobody then. */
bool snapshot_names_are_plain(PyObject *dict);

/* Does this frame run with the closure of the very function? Decorators make many with one code. */
bool snapshot_fits_closure(const struct snapshot *snapshot, PyFrameObject *frame);
