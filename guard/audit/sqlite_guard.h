/*
 * sqlite_guard - ATTACH and VACUUM INTO under the write roots
 *
 * Both open a file inside of SQLite and raise no audit event. Each new connection gets an authorizer
 * of ours, which SQLite asks before it attaches anything; a cell cannot replace it. SQLite can only say
 * "not authorized": the reason is in the record of denials. Owns nothing.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* _sqlite3 was loaded. Returns 0, or -1 with an exception set. */
int sqlite_guard_module(PyObject *module);
