/*
 * limit_note - which limit stands behind an exception of the system's
 *
 * A resource limit shows itself as MemoryError, "can't start new thread" or an OSError, which name no limit. The OS
 * ring's no is "Read-only file system" to native code that writes elsewhere, and a name that is not found to whoever
 * asks for a host; a variable that cells do not see is a KeyError. This finds the key of the policy that made it so. It
 * only adds words to an error that is shown; the limits themselves are set by the kernel process.
 */
#pragma once

#include <Python.h>

/* A sentence that names limits and values, new; NULL without an exception when none fits. */
PyObject *limit_note(PyObject *error);
