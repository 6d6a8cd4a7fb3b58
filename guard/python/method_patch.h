/*
 * method_patch - put a C function in front of a built-in function or method
 *
 * The change is made in the PyMethodDef, which every reference shares: old references, specialised
 * call sites, `map(f, …)`, functools.partial and a fresh import of the module all meet it, and nobody
 * else pays for it (replacing the module's attribute would catch only those who look it up later).
 * Not for types' slots, nor for functions written in Python. Patches of one function stack: the one
 * made last runs first. They stay until the process ends; nothing in Python can see or undo them.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

struct method_patch;

/* One call of a patched function. Everything is borrowed for the time of the call. */
struct method_call {
    const struct method_patch *patch; /* what runs now */
    PyObject *self;                   /* the module, or the object of a method */
    PyObject *const *args;            /* positional arguments, then the values of `kwnames` */
    Py_ssize_t positional;            /* how many of them are positional */
    PyObject *kwnames;                /* tuple of str, or NULL */
    PyTypeObject *defining;           /* the class that a method is of, where it asks for it; or NULL */
};

typedef PyObject *(*method_patch_function)(const struct method_call *call, void *data);

/*
 * method_patch() - from now on, calls of `callable` run `function` instead
 *
 * callable  a built-in function (os.mkfifo) or a built-in method of a type (sqlite3.Connection.x)
 * data      handed to `function`, must live as long as the process
 *
 * Returns 0; METHOD_PATCH_E_* when this callable cannot be patched.
 */
enum method_patch_outcome {
    METHOD_PATCH_E_NOT_BUILTIN = 1, /* not a PyCFunction or method descriptor, or an unknown layout */
    METHOD_PATCH_E_FULL,            /* more functions are patched than method_patch.c has room for */
};
int method_patch(PyObject *callable, method_patch_function function, void *data);

/* Whether it has been done, with the same function and data. Another copy of a module has functions of its own. */
bool method_patch_is_done(PyObject *callable, method_patch_function function, const void *data);

/* method_patch(), unless it is done, for a function of a native module in whose place somebody has put something else. */
int method_patch_hidden(PyObject *module, const char *name, method_patch_function function, void *data);

/* method_patch() for an attribute of a module or a type. Returns 0 or -1 with an exception. */
int method_patch_attribute(PyObject *owner, const char *name, method_patch_function function, void *data);

/* Could method_patch() do it? And are two callables one function, whatever object each one is? */
bool method_patch_fits(PyObject *callable);
bool method_patch_same(PyObject *one, PyObject *other);

/* Runs what the patch stands in front of, with the arguments in `call`. New reference or NULL. */
PyObject *method_call_next(const struct method_call *call);

/* The same with the positional argument `index` replaced; `index` must be below `positional`. */
PyObject *method_call_next_with(const struct method_call *call, Py_ssize_t index, PyObject *value);

/* Borrowed: the argument at this position or with this name (exact text of the parameter), else NULL. */
PyObject *method_call_argument(const struct method_call *call, Py_ssize_t index, const char *name);
