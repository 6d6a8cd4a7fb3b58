/*
 * carriers - is there something in an argument that would run for the cell without a frame of its own?
 *
 * A callback of the cell's is a barrier for a tool's rights, because its code is on the stack. os.system,
 * functools.partial(subprocess.run, …), map(os.remove, …) or a class whose __str__ is such an object run
 * below the tool without any code of the cell's. A tool that is handed one has no rights in that call.
 * Functions that the cell has written may be handed over: a lambda around whatever it is.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

#define CARRIER_NAME 120

/* Looks through lists, dicts and objects. Runs no code of a cell. ret_name: what it is, for a message. */
bool carriers_are_in(PyObject *argument, char ret_name[CARRIER_NAME]);

/* Is the object itself one, whatever it holds? A function of a library is none unless it closes over one. */
bool carriers_is_one(PyObject *object);

/* The same, and what it holds counts: of a callable that a cell wants to have called by others. */
bool carriers_are_behind(PyObject *callable);
