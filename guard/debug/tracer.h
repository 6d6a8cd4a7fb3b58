/*
 * tracer - where a cell stops: breakpoints, steps, pauses, exceptions
 *
 * A trace function in C, called by Python for every event and looking at those of user code alone: a
 * step never ends in a library. It runs nothing of the user's but the condition of a breakpoint. There
 * is none unless a front end has attached. The thread that runs cells is the only one that is traced.
 */
#pragma once

#include <Python.h>

/* Around each request while a front end is attached. */
void tracer_begin(void);
void tracer_end(void);

/* What becomes of a stop. */
enum tracer_step { STEP_NONE, STEP_NEXT, STEP_IN, STEP_OUT };
/* frame  the innermost frame where the stop was */
void tracer_go_on(enum tracer_step step, PyObject *frame);

/* Stop at the next line of user code. */
void tracer_pause(void);
