/*
 * tool_tasks - the tasks that a tool starts while it runs
 *
 * A coroutine that is a tool may run parts of itself as asyncio's tasks (gather, wait_for, TaskGroup). Between
 * such a task and the tool stands the event loop, so a walk over the stack does not find it. What is
 * remembered instead is the coroutine that the task was made for, by identity: its frame, run by the loop, stands
 * for the call of the tool, and everything else is asked as ever, user code that comes before it above all. Contexts
 * decide nothing: callbacks of cells inherit them.
 *
 * Only a coroutine of a function that the tool itself can name: one that a cell has made and slipped in is none.
 * Only while the tool's own call lasts. Not threads. Nothing of a call is kept alive.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* is_wanted: there is a coroutine among the tools; asyncio is loaded then. 0, or -1 with an exception. Idempotent. */
int tool_tasks_start(bool is_wanted);

bool tool_tasks_is_coroutine(PyObject *code);

/* The frame of the call of a tool for which this frame runs, new; NULL, without an exception, for none. */
PyObject *tool_tasks_owner(PyObject *frame);

#define TOOL_TASKS_WORDS 80

/* Is nothing in the event loop that runs that a cell has put there and that is no code of its own? */
bool tool_tasks_loop_holds(char ret_changed[TOOL_TASKS_WORDS]);
