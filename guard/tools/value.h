/*
 * value - Python values that cross as JSON, and nothing else
 *
 * None, bool, int, float, str, list, tuple (as a list) and dict with str keys, read from their C
 * storage: what a class derived from one of them says about itself is never asked, no code of a
 * cell's runs. Refused: any other object, NaN and infinities, lone surrogates, what is nested
 * deeper than VALUE_DEPTH_MAX or longer than a text may be. Both sides use it: the guard for what
 * it sends, the tool process for what came, after reading it.
 */
#pragma once

#include "guard/link/buffer.h"

#include <Python.h>

enum { VALUE_DEPTH_MAX = 64 };

/* Appends the JSON of a value. 0, or -1 with a TypeError or ValueError that says what cannot cross.
 */
int value_encode(PyObject *value, struct buffer *json);
