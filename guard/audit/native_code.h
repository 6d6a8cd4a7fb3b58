/*
 * native_code - what runs when an object is called: by addresses, not by what it says about itself
 *
 * `__name__`, `__module__` and `__qualname__` of most callables can be assigned, and so can a class be
 * derived that calls what its base calls. The definition in the extension module's own static data
 * cannot be changed from Python. No Python code runs, no attribute of a user's class is asked. Not for
 * decisions: callee.h. Owns nothing.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

#define NATIVE_CODE_ADDRESSES 3

struct native_code {
    const void *addresses[NATIVE_CODE_ADDRESSES]; /* all are run; or see has_definition */
    unsigned count;
    bool has_definition;   /* the first address is it; where that was made at run time, the second says whose */
    bool is_object;        /* an object of a class with the slot: see native_code_maybe_definition() */
    const char *name;      /* as the definition says; NULL when there is none. Borrowed from the module */
    const char *type_name; /* "package.module.Type" of the class it belongs to, if that is static */
    bool is_function;      /* of a module, not a method */
    bool is_hidden;        /* behind more objects than anybody follows */
};

/* Types that are asked for by identity. 0 or -1 with an exception. Idempotent. */
int native_code_start(void);

/* partial, bound and static methods, generic aliases and proxies hand a call on: what is behind them, new. */
PyObject *native_code_behind(PyObject *callable);

/* Compiled Cython functions of all modules share one type, which one of them has made; each has a definition of
   its own, which this is if it lies in an extension module, together with what it points to. */
const PyMethodDef *native_code_maybe_definition(PyObject *callable);

/* Is what it says about itself worth reading: neither a class made by a class statement, nor an object or a class of
   one, whose attributes may be Python code? */
bool native_code_tells(PyObject *callable);

/* Of built-in functions and of methods of static types: most calls. The definition then says all; borrowed from the
   module. NULL: native_code_of() has to look. */
const PyMethodDef *native_code_at_once(PyObject *callable);

/* False: calling it runs Python code, or it cannot be called. */
bool native_code_of(PyObject *callable, struct native_code *ret_code);
