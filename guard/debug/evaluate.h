/*
 * evaluate - what a person types into the debugger, and what values say of themselves
 *
 * Both are user code: made under the rules for cells and marked before they run, so that the audit hook
 * judges them as it judges the cell that stands still. Not for deciding what is shown: see _dap.py.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

/*
 * evaluate_text() - an expression or, if `statements`, statements
 *
 * frame  whose variables it finds and can assign; NULL: those of the cells
 *
 * The value (None for statements), or NULL with an exception.
 */
PyObject *evaluate_text(PyObject *frame, PyObject *text, bool statements);

/* Is the condition of a breakpoint true here? -1 with an exception when it fails. Compiled once. */
int evaluate_condition(PyObject *frame, PyObject *text);

/*
 * evaluate_call() - call a function as if user code did, with a limit of time
 *
 * What `function` runs below finds user code on the stack. When the time is over there is a
 * KeyboardInterrupt in it, and another one after the same time. The result, or NULL with an exception.
 */
PyObject *evaluate_call(PyObject *function, PyObject *arguments, long limit_ms);
