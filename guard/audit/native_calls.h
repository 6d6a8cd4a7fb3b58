/*
 * native_calls - native functions of packages that guarded code of a host program calls
 *
 * What native code does raises no audit event, so a call of it is refused unless its package is of the
 * standard library, listed as harmless, registered by allow(), or the host says so. It needs
 * sys.monitoring (Python 3.12): the CALL events of the code objects of cells, and of everything while
 * mk_audit() is entered, where code of libraries switches itself off at its first call. Calls made by C
 * (map, sorted, operators) are not seen: this explains and catches mistakes, the fence is elsewhere.
 */
#pragma once

#include "guard/audit/scope.h"

/* Takes the tool id, once. -1 with RuntimeError where another tool has it, or before Python 3.12. */
int native_calls_start(int tool_id);

/* Calls made by this code object and those nested in it are looked at. 0 or -1 with an exception. */
int native_calls_watch(PyObject *code);

/* Calls of all code, until the same number of ends. 0 or -1 with an exception. */
int native_calls_begin(void);
int native_calls_end(void);

/* What a callback has switched off counts again: at each entry. 0 or -1 with an exception. */
int native_calls_restart(void);

/* For audit_state(): the tool id or -1, and how many begins are open. */
int native_calls_tool(void);
unsigned native_calls_open(void);
