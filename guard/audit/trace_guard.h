/*
 * trace_guard - debuggers may trace, and see nothing but the user's code
 *
 * A trace function is user code as soon as a cell overrides one method of a debugger. So in the
 * guard process sys.settrace() sets one in C, which calls the debugger's in frames of user code
 * alone: never in the middle of a library, of the import system or of a registered tool. Only
 * library code (pdb, bdb) may set it, in the thread that runs cells, and it ends with the request.
 * Setting f_lineno (pdb's `jump`) is refused: CPython does not check all of what a jump skips. The
 * preset "open" restricts none of it. Not for sys.setprofile() and sys.monitoring. Owns nothing.
 */
#pragma once

#include <Python.h>

/* Idempotent. Returns 0, or -1 with an exception set. */
int trace_guard_start(void);

/* The request is over, and so is what its debugger did in this thread. Leaves no exception. */
void trace_guard_end_request(void);
