/*
 * module_making - nothing of a cell's runs between a native module's own start and our guarding of it
 *
 * A module's functions and types can be used as soon as its own C code has made them, and interpose guards them a moment
 * later. In between a name with a __hash__, a key of a dict with an __eq__, a finalizer or an import could run
 * code of a cell. For modules that interpose guards only. Owns nothing.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

struct module_making {
    bool collects; /* the garbage collector was on */
};

/* Returns 0, or -1 with an exception set. */
int module_making_init(void);

/*
 * module_making_ask_spec(), module_making_ask_module() - may a native module be made of this spec, or this one be filled?
 *
 * is_guarded   asked with the last part of the module's name
 * ret_guarded  what it said; true as well where nobody can tell
 *
 * Returns 0, or -1 with PermissionError set.
 */
int module_making_ask_spec(PyObject *spec, bool (*is_guarded)(const char *name), bool *ret_guarded);
int module_making_ask_module(PyObject *module);

/* Around making and guarding a module that is guarded. */
struct module_making module_making_begin(void);
void module_making_end(struct module_making making);
