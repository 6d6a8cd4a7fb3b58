/*
 * import_allow - modules that may do what they need while they are imported, because the host says
 * so
 *
 * Some libraries change code objects or start programs in their module-level code. A scope of
 * mk_audit() lists such modules for itself; what allow_imports holds counts for RunPython and for
 * the guard process. Not for what the functions of a module do later. The list is C memory of this
 * module: guarded code is refused to change it, and the collector does not see it.
 */
#pragma once

#include "guard/audit/scope.h"

/* Puts a module on the list, its submodules with it, or takes it off. 0; -1 with PermissionError
 * under guard. */
int import_allow_set(const char *module, bool permitted);
/* The names as a new tuple; NULL with an exception. */
PyObject *import_allow_names(void);

/* Is a listed module being imported, and does its own code ask? */
bool import_allow_asks(const struct scope *scope);
