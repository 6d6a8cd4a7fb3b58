/*
 * carrier_kinds - what one object is, for the search of carriers.h
 *
 * Whether calling it runs code without a frame of its own, and whether there can be anything in it. No code of a cell
 * runs; what cannot be told counts as one. Not for what an object holds.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* A number, a text or the like, which holds nothing. */
bool carrier_is_atom(PyObject *object);

/* Exactly a list, dict, tuple or set. */
bool carrier_is_container(PyObject *object);

/* Nothing but atoms, in lists and dicts not deeper than a few. */
bool carrier_is_plain(PyObject *object);

/* int, str, list, …: calling it only makes a value. */
bool carrier_is_value_class(PyObject *object);

/* names: ends with NULL. By the type's name, which proves nothing. */
bool carrier_has_type_name(PyObject *object, const char *const *names);

/* Is it a function that the cell has written? It is a barrier by itself. */
bool carrier_cell_wrote(PyObject *object);

/* Does it run what it is without any frame, whatever its class says? */
bool carrier_runs_bare(PyObject *object);

/* The same, or through its class. What functions close over is looked at by a search. */
bool carrier_by_itself(PyObject *object);

/* Written in a cell, or without any function at all: then what its objects hold is the cell's. */
bool carrier_is_cells_class(PyTypeObject *type);
