/*
 * code_names - which names a code object looks up
 *
 * Read from the byte code, with the numbers that the running Python's `opcode` module gives. Code objects
 * nested in it count as well. Not for what the names mean. Owns nothing.
 */
#pragma once

#include "guard/python/py_cleanup.h"

struct code_names {
    PyObject *globals;    /* set: what is looked up among globals and built-ins */
    PyObject *imports;    /* set: modules that import statements name */
    PyObject *attributes; /* set: everything else, attributes above all */
};

/* Before user code: imports `opcode`. New sets; -1 with an exception set. */
int code_names_read(PyObject *code, struct code_names *ret_names);
void code_names_finish(struct code_names *names);
#define cleanup_code_names cleanup_with(code_names_finish)
