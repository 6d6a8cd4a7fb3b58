/*
 * program - text of user code, compiled: statements and, when there is one, the last expression
 *
 * The steps that a kernel's cell and a call of RunPython share. Who transforms, checks and marks is the
 * caller's affair, and so is the scope in which builtins.compile() is called. Owns what it remembers from
 * the start of the process: a cell that replaces `compile` changes nothing here.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

/* Of CPython's compile.h and code.h, which the limited API leaves out; the same from 3.11 to 3.14. */
enum {
    COMPILE_ONLY_AST = 0x0400,
    COMPILE_TOP_LEVEL_AWAIT = 0x2000,
    CODE_IS_COROUTINE = 0x0080,
    CODE_FUTURE_FEATURES = 0x1fe0000,
};

/* Remembers compile() and the types of the tree. 0 or -1 with an exception. Idempotent. */
int program_start(void);

/* compile() with features of its own, never with those of whoever calls. New, or NULL. */
PyObject *program_compile(PyObject *source, PyObject *filename, const char *mode, long flags);

long program_code_flags(PyObject *code);
bool program_is_coroutine(PyObject *code); /* NULL: no */

/*
 * program_split() - take the last statement out of the module when it is an expression
 *
 * ret_expression  an ast.Expression, or NULL: there is none
 * ret_quiet       set when a semicolon follows it
 *
 * Returns 0, or -1 with an exception.
 */
int program_split(PyObject *module, PyObject *source, PyObject **ret_expression, bool *ret_quiet);

/* Is anything left in the module? */
bool program_has_statements(PyObject *module);
