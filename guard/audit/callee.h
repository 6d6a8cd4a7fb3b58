/*
 * callee - what is being called: Python code, native code that is known to be harmless, or other
 *
 * Decided by the extension module that the machine code lies in (native_module), never by what a callable
 * says about itself. Names are for messages and for the host's own lists; they are corrected where the
 * definition of a function says otherwise. What was found to be of the standard library is remembered by
 * address. Not for what follows from it.
 */
#pragma once

#include "guard/audit/scope.h"

enum callee {
    CALLEE_PYTHON,   /* a function, method, class or object written in Python */
    CALLEE_STANDARD, /* of the interpreter or the standard library; or the guard's own types */
    CALLEE_LISTED,   /* of a package that the scope lists as harmless, or of native_rows.def */
    CALLEE_REFUSED,  /* of a listed package, and known to open files */
    CALLEE_OTHER,
};

/* 0 or -1 with an exception. */
int callee_start(void);

/* One of the first two, by a short look; false says nothing. */
bool callee_is_known(PyObject *callable);

/* `caller`: the code object that calls, if it is a library's; else NULL. Remembers what is standard. */
enum callee callee_ask(const struct scope *scope, PyObject *callable, PyObject *caller);

/* "package.module.Class.method" as a new str; NULL with an exception. functools.partial is looked through. */
PyObject *callee_name(const struct scope *scope, PyObject *callable);

/* The callable itself where that can only be a function of a module; else a stand-in. New or NULL. */
PyObject *callee_for_host(PyObject *callable);
