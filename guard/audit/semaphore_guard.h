/*
 * semaphore_guard - no semaphores that other processes see
 *
 * A named semaphore is a file of the system, made and opened without an audit event. What multiprocessing makes for locks
 * loses its name at once, so it is nobody else's; with a name it would stay, or be another program's. Owns nothing.
 */
#pragma once

#include <Python.h>

/* _multiprocessing was loaded (it may be filled later: then it is seen again). 0, or -1: exception set. */
int semaphore_guard_module(PyObject *module);
