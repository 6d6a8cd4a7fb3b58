/*
 * tool - one registration, as tools.c makes it and tools_ask.c looks at it
 *
 * For these two files only; what others may ask is in tools.h. The registry owns everything.
 */
#pragma once

#include "guard/audit/snapshot.h"
#include "guard/audit/tool_policy.h"
#include "guard/audit/tools.h"
#include "guard/python/method_patch.h"

struct tool {
    struct tool *next_alike; /* another registration of the same code or built-in */
    struct tool *next;       /* in the order of registration */
    char *name;
    PyObject *callable;
    PyObject *code;          /* borrowed from the function; NULL for a built-in */
    enum tool_self self;
    PyObject *owner;
    PyObject *may_change;
    PyObject *types;         /* tuple: what counts as `owner` for TOOL_METHOD and TOOL_CLASS */
    struct tool_policy policy;
    struct snapshot *snapshot; /* NULL for a built-in, where there are no rights,
                                  and before tools_freeze() */
    bool is_frozen;
};

/* A call of a registered built-in that is under way in this thread. */
struct native_call {
    struct native_call *outer;
    const struct tool *tools;
    const struct method_call *call;
    PyFrameObject *frame; /* who called; compared only */
};

/* The first registration of this code object; NULL for none. */
const struct tool *tool_of_code(PyObject *code);
/* Does this frame run the registered function, with its globals, closure and self? */
bool tool_runs_in(const struct tool *tool, PyFrameObject *frame, PyObject *code);
/* The innermost call of a registered built-in in this thread; NULL for none. */
const struct native_call *tool_native_call(void);
