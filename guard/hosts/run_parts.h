/*
 * run_parts - what a run consists of
 *
 * For run.c, which takes the steps, and run_type.c, through which Python asks for them; what others
 * may ask is in run.h. The run owns all that it refers to.
 */
#pragma once

#include "guard/hosts/run.h"

enum stage {
    STAGE_NEW,
    STAGE_STATEMENTS,
    STAGE_EXPRESSION,
    STAGE_VALUE,      /* the expression was something that can be awaited */
    STAGE_BACKGROUND, /* tasks that the cell began; as the host */
    STAGE_DONE,
};

struct run {
    PyObject_HEAD struct runner *runner;
    PyObject *source;
    enum stage stage;
    struct cell_names names; /* globals of the cell */
    PyObject *statements; /* code, or NULL */
    PyObject *expression;
    PyObject *entry;  /* capsule of the scope */
    PyObject *capture;
    PyObject *awaiting; /* what is being driven, or NULL */
    PyObject *value;
    bool began;
    bool is_running;
};

/*
 * run_step() - as far as it goes without waiting
 *
 * input      what the awaiting task sends; NULL: the exception that is set is thrown in
 * ret_value  new; NULL with PYGEN_ERROR
 */
PySendResult run_step(struct run *run, PyObject *input, PyObject **ret_value);

/* Lets go of everything beyond the value and the capture. Idempotent. 0 or -1 with an exception. */
int run_end(struct run *run, bool done);
