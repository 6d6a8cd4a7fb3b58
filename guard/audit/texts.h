/*
 * texts - lists of a policy as lists of Python
 *
 * Names of files may be any bytes: they come as Python has them, with surrogates for what is no UTF-8.
 */
#pragma once

#include "guard/policy/string_list.h"

#include <Python.h>

/* Returns 0, or -1 with an exception; some may have been appended then. */
int texts_append(PyObject *list, const struct string_list *texts);

/* A new list of str, or NULL with an exception. */
PyObject *texts_list(const struct string_list *texts);
