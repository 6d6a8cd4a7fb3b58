/*
 * implicit_calls - what the interpreter calls by itself in the middle of any function
 *
 * An import, a class statement, a warning, an encoding, a fork, an asynchronous generator, a value for SQLite: for each of them C code
 * looks up a name in a module, or a list, and calls what stands there. No code says so and no frame shows it, so
 * that a functools.partial of a cell would run with the rights of the tool that imports or warns. Names
 * have to lead where they led when the guard closed; what is kept in C is refused when a cell puts it there; and the import system and the
 * display of warnings, which hand on to what a cell may have registered, are barriers. os.environ belongs here, because each
 * start of a program asks it for PATH. Only where tools are registered, as part of
 * surroundings.h. Not for what a library keeps in its own globals: snapshot.h.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* -1 with an exception set. Once. */
int implicit_calls_remember(void);

/* On false, `ret_changed` is the name that leads elsewhere. */
bool implicit_calls_hold(char *ret_changed, size_t size);

/* Does re's table of compiled patterns lead from each text to its own pattern? For tools that use it. */
bool implicit_calls_patterns_hold(void);

bool implicit_calls_are_barrier(PyObject *code);
