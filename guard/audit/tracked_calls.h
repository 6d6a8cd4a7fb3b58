/*
 * tracked_calls - which coroutine functions of the host, named by track_call(), are under way here
 *
 * A host's before_deny gets them as `calls`, and decides by who asked. They are frames on the
 * stack, known by the identity of their code, up to the first guarded code: what a tracked function
 * calls back does not act in its name. Not for rights: those are allow()'s (guard/audit/tools).
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* From now on calls of this Python function are found. 0; -1 with PermissionError under guard, or
 * another. */
int tracked_calls_add(PyObject *function);

/* Views of their frames (guard/audit/frame_view), innermost first, as a new tuple; NULL with an
 * exception. */
PyObject *tracked_calls_frames(void);
