/*
 * run - one call of RunPython, from text to value, as something that can be awaited
 *
 * Steps: parse, user-code rules, compile, mark, run under the scope, wait for the tasks that the cell
 * began, hand its names out. The scope is set around each step only, so that between two of them the
 * task that awaits is the host's again. Not for what is allowed. Owns all in the struct.
 */
#pragma once

#include "guard/audit/scope.h"
#include "guard/hosts/namespace.h"

/* Functions of the Python face, remembered when the first Runner was made. */
struct run_glue {
    PyObject *name_source;    /* srcfn(text) -> file name */
    PyObject *wait_for_tasks; /* (entry) -> coroutine, or None: the cell has left no tasks */
    PyObject *cancel_tasks;   /* (entry) */
    PyObject *make_capture;   /* () -> object with enter(), leave(), finish() -> (stdout, stderr) */
};

struct runner {
    PyObject_HEAD
    struct scope *scope;
    struct namespace space;
    const struct run_glue *glue;
    bool captures;
};

struct run;

/* The type of what run_new() gives; 0 or -1 with an exception. */
int run_start(void);
/* An awaitable, new. runner and source are referenced. */
PyObject *run_new(struct runner *runner, PyObject *source);
