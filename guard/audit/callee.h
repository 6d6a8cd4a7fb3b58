/*
 * callee - what is being called: Python code, native code that is known to be harmless, or other
 *
 * Names say which package a native function is of; a cell can forge them, and gains nothing but that its
 * mistake is not explained to it. What was found harmless is remembered by address. Not for decisions.
 */
#pragma once

#include "guard/audit/scope.h"

/* 0 or -1 with an exception. */
int callee_start(void);

/* A function, method, class or object of Python; or one that was remembered. */
bool callee_is_known(PyObject *callable);

/* "package.module.Class.method" as a new str; NULL with an exception. functools.partial is looked through. */
PyObject *callee_name(PyObject *callable);

/* Of the standard library, or of a package that the scope lists? Remembers the former. */
bool callee_is_harmless(const struct scope *scope, PyObject *callable, PyObject *name);

/* The callable itself where that can only be a function of a module; else a stand-in. New or NULL. */
PyObject *callee_for_host(PyObject *callable);
