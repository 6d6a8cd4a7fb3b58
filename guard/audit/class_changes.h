/*
 * class_changes - what was put into classes of libraries that runs without a frame of its own
 *
 * isinstance() asks the class of an ABC for __instancecheck__, a text file the class of its codec for decode(): C code that no
 * code of a tool names, so that no snapshot has it. A functools.partial there would run in the middle of the tool, with its rights. So
 * such a change is noted when it is made, and no tool has rights any more: what is there could take itself away before it
 * is looked for. A function that the cell has written is a barrier by itself and changes nothing. Not for classes that are
 * newer than the tools: of those that cells make, carriers.h looks at the objects.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* A class that is there when the guard closes. -1 with an exception set. */
int class_changes_watch(PyObject *type);

/* In front of type.__setattr__(). value: NULL for a deletion. */
void class_changes_note(PyObject *type, PyObject *name, PyObject *value);

/* Was there none? On false, `ret_changed` names the first. */
bool class_changes_hold(char *ret_changed, size_t size);
