/*
 * event_loop - the guard's own asyncio loop, seen from C
 *
 * For cells that await at top level, for tasks that go on between cells, and for code that expects
 * a running loop around it (asyncio.create_task() in an ordinary cell). asyncio costs as much to
 * import as four interpreters: nothing here is loaded before a cell shows that it wants it.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

/*
 * event_loop_enter() - make the loop the running one for a cell that does not await
 *
 * Does nothing unless asyncio is loaded or `source` names it. ret_entered says whether
 * event_loop_leave() is due. Returns 0 or -1 with an exception.
 */
int event_loop_enter(PyObject *source, bool *ret_entered);
/*
 * The same for a callback of a widget, in whichever shell: one that runs in a subshell starts its tasks in the main thread's
 * loop, too, which is woken after it (interrupt_wake()). Futures and locks know one loop only.
 */
int event_loop_enter_callback(bool *ret_entered);
void event_loop_leave(void);

/* In the thread of a subshell, before it ends: the loop that its cells awaited in is closed. */
void event_loop_leave_subshell(void);

/* Runs steps, a list of (callable, bool: whether its result is awaited), as one task. The value of
 * the last. */
PyObject *event_loop_run(PyObject *steps);

/* The loop itself (new reference), made at the first call. */
PyObject *event_loop_get(void);

/* Whether there is a loop, which wants its time between requests. */
bool event_loop_is_loaded(void);

/* Lets tasks go on until the descriptor can be read; at once when none is waiting to go on. -1:
 * exception. Only when a loop is loaded. */
int event_loop_idle(int fd);

/* In a copy that takes over: the loop gets what it shared with the dead process anew. */
void event_loop_thaw(void);

/* Before the interpreter ends: cancels what is left. */
void event_loop_finish(void);
