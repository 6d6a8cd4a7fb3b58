/*
 * library_code - which code objects come from the files of libraries
 *
 * Code gets a library's mark only if it was read by the import system, in one piece, from a file that cells cannot
 * change, and, where it is a source, means the same to everybody (source_encoding). To know that, the function of importlib
 * that reads module files is replaced by one in C, which remembers the bytes that it hands out; marshal.loads() and compile()
 * then recognise them, not the words that come along.
 * Loaders, names, paths and file names in code objects are the cell's to forge; but a name that means something (caller.c)
 * stays with the code that was read from a file of that name. Archives (zipimport) are not read
 * here: what is in them is user code. All other code that is made while a guard judges is marked as the user's when
 * it is made. Not for what marks mean: caller.h.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

struct library_code_owner {
    void (*mark)(PyObject *code);            /* is told about each code object that comes from a library's file */
    void (*mark_library)(PyObject *code);    /* the same for code that is run at once, and in no module */
    bool (*is_fresh)(PyObject *code);        /* made while a guard judges, and not run yet as a module's */
    bool (*name_counts)(const char *path);   /* does code with this file name have a right that other code has not? */
};

/* Once; -1: exception set. */
int library_code_init(const struct library_code_owner *owner);
