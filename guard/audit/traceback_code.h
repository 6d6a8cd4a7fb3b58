/*
 * traceback_code - the code with which modules made by Cython add a line to a traceback
 *
 * Those for the limited API have no other way: they compile the text "_getframe()", give that code a line and a name and
 * run it, all from C. If it is refused there is no traceback, and whatever handles the exception in C crashes. So this
 * one text may be compiled, whoever is nearest on the stack, and the code that it makes is a library's. Not for texts that come
 * through a function of Python: compile(), eval() and exec() are judged as ever. Owns nothing that ends.
 */
#pragma once

#include "guard/audit/facts.h"

/* Once, before anything is guarded. 0, or -1: exception set. */
int traceback_code_init(void);

/* Around compile(): what is asked for in there is the text of whoever called it. */
void traceback_code_begin_compile(void);
void traceback_code_end_compile(void);

/* The arguments of the event "compile". Runs no Python code. */
bool traceback_code_is_text(const struct facts_source *source);

/* Is this what that text makes, and are these the changes that Cython asks of code.replace()? */
bool traceback_code_fits(PyObject *code, PyObject *const *values, Py_ssize_t positional, PyObject *names);
