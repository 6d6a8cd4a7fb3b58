/*
 * native_module - which extension module an address of code or static data lies in
 *
 * Asked of the loader's own list, so that neither names nor attributes of Python objects matter: a cell can
 * give a function another __module__, and cannot move its machine code. A module is named by its file below
 * the folders of installed packages ("lxml.etree"); a file elsewhere has no name. Not for decisions. Owns
 * what it returns, for as long as the process lives: extension modules are never unloaded.
 */
#pragma once

#include "guard/policy/policy.h"

enum native_kind {
    NATIVE_STANDARD, /* the interpreter, and modules of the standard library */
    NATIVE_OWN,      /* the guard */
    NATIVE_PACKAGE,  /* of an installed package: it has a name */
    NATIVE_FOREIGN,  /* anything else that is loaded */
};

struct native_module {
    const char *start; /* of one loaded object, up to `end` */
    const char *end;
    enum native_kind kind;
    char *name; /* "package.module"; of the guard: its folder; else "" */
};

bool native_module_holds(const struct native_module *module, const void *address);

/* NULL: code that belongs to no file, such as what a compiler made at run time. packages: folders. */
const struct native_module *native_module_of(const void *address, const struct string_list *packages);
