/*
 * limit_note - which limit stands behind an exception of the system's
 *
 * A resource limit shows itself as MemoryError, "can't start new thread" or an OSError, which name no
 * limit; the OS ring's no to native code that writes elsewhere as "Read-only file system", and to whoever asks for a
 * host as a name that is not found. This finds the key of the policy that made it so. It only adds words to an error that is shown; the limits themselves are set by
 * the kernel process.
 */
#pragma once

#include <Python.h>

/* A sentence that names limits and values, new; NULL without an exception when none fits. */
PyObject *limit_note(PyObject *error);
