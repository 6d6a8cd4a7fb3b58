/*
 * mirror - a value as it was, for a comparison that asks nobody
 *
 * Lists, tuples, dicts, sets and bytearrays of exact built-in types are remembered by what is in them, text
 * and numbers by value, any other object by identity; a staticmethod, property or functools.partial by both: itself, and
 * what it hands on to. Nothing of Python can reach a mirror.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* New; NULL with an exception set without memory. */
PyObject *mirror_of(PyObject *value);

/* Is there more to compare than identity? */
bool mirror_has_content(PyObject *mirror);

/* Compares exact built-in types only: no __eq__ and no __hash__ of a cell runs. */
bool mirror_equals(PyObject *mirror, PyObject *value);
