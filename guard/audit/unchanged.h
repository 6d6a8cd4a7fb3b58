/*
 * unchanged - is an object still what it was: its class, and what was put into it?
 *
 * print() asks sys.stdout for `write`, whatever stands there under that name: `sys.stdout.write =
 * os.system` makes a command of what a tool prints. The object is the same one as before, so it is
 * not enough to compare that. Classes are compared name by name, by identity; the object's own
 * attributes likewise, and a new one counts when something in it can be called without a frame
 * (carriers.h). Owns what it remembers.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* A class and those above it, as far as they can be changed. */
struct unchanged_class {
    PyTypeObject *type; /* NULL: nothing is remembered */
    PyObject *mro;
    PyObject *spaces; /* list: copies of the names of the open ones, in the order of `mro` */
};

struct unchanged_object {
    PyObject *object; /* NULL: nothing is remembered */
    struct unchanged_class class;
    PyObject *own; /* copy of its __dict__; NULL when it has none */
};

/* Both replace what was remembered before. 0, or -1 with an exception set. */
int unchanged_remember_class(struct unchanged_class *ret_class, PyTypeObject *type);
int unchanged_remember(struct unchanged_object *ret_object, PyObject *object);

/* Run no code of a cell, leave no exception. */
bool unchanged_class_holds(const struct unchanged_class *remembered, PyTypeObject *type);
bool unchanged_holds(const struct unchanged_object *remembered);
