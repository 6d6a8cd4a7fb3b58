/*
 * library_code - which code objects come from the files of libraries
 *
 * Code gets a library's mark only if it was read by the import system, in one piece, from a file that cells cannot
 * change. To know that, the function of importlib that reads module files is replaced by one in C, which remembers
 * the bytes that it hands out; marshal.loads() and compile() then recognise them, not the words that come along.
 * Loaders, names, paths and file names in code objects are the cell's to forge. Archives (zipimport) are not read
 * here: what is in them is user code. All other code that is made while a guard judges is marked as the user's when
 * it is made. Not for what marks mean: caller.h.
 */
#pragma once

#include <Python.h>

/* `mark` is told about each code object that comes from a library's file. Once; -1: exception set. */
int library_code_init(void (*mark)(PyObject *code));
