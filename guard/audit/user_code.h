/*
 * user_code - everything in an object that is code becomes the user's
 *
 * Marshalled data is a code object, or holds some: in containers, and in the constants of one another. Not for where
 * an object came from (library_code.h), nor for what a mark means (caller.h). Owns nothing.
 */
#pragma once

#include <Python.h>

/* Once; the type of code objects, which the limited API does not name. */
void user_code_start(PyTypeObject *type_of_code);

/* Marks what is code in containers of built-in types, at any depth, under the scope in force. 0; -1: exception set. */
int user_code_mark(PyObject *object);
