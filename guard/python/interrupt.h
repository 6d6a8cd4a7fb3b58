/*
 * interrupt - what SIGINT does
 *
 * The handler is a function in C that Python calls on the main thread: ignored while nothing runs
 * (an interrupt that comes too late hits no other cell), KeyboardInterrupt while a request runs,
 * and for a cell that awaits, the decision of the event loop's glue.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

enum interrupt_state { INTERRUPT_IGNORED, INTERRUPT_RAISES, INTERRUPT_CANCELS, INTERRUPT_HELD };

/* Installs the handler, whatever was inherited. Returns 0 or -1 with an exception. */
int interrupt_start(void);

/*
 * A SIGINT that comes between two requests is told apart by what lay in the socket when it arrived:
 * the kernel process sends it while it waits for a reply, so with a request in the socket (or just
 * taken out of it) it is meant for that one, and with none it is too late for the last one.
 */

/*
 * A descriptor that becomes readable with each SIGINT: whoever waits for something else waits for
 * it too, because a signal that comes just before poll() does not end it. interrupt_clear_wake()
 * makes it quiet again; then PyErr_CheckSignals().
 */
int interrupt_wake_fd(void);
void interrupt_clear_wake(void);
/* The same for another signal; nothing but what a signal handler may do. */
void interrupt_wake(void);

/* What link_fd is, for that. Before interrupt_start(). */
void interrupt_watch_link(int link_fd);
/* Whether a frame may just have been taken from the socket. Called around each read. */
void interrupt_frame_taken(bool taken);

/* Before each request: drops what came too late, and installs the handler again if it was replaced.
 */
void interrupt_begin_request(void);
/* From here on an interrupt raises; -1 with KeyboardInterrupt when one came already for this request. */
int interrupt_begin_cell(void);
/*
 * When it is settled how the request went, and before the reply in any case: from here on an interrupt comes too late, in a
 * subshell too. It would take the place of what the request has to tell.
 */
void interrupt_end_request(void);

/* An interrupt that came meanwhile takes the place of the exception that is set. */
void interrupt_take_over_exception(void);

/* Returns the state before. */
enum interrupt_state interrupt_set(enum interrupt_state state);

/*
 * Around what must be whole, and is short: an interrupt that comes meanwhile is raised after it, in a subshell too.
 * interrupt_release() takes what interrupt_hold() returned; -1 with KeyboardInterrupt, also when an exception is set.
 */
enum interrupt_state interrupt_hold(void);
int interrupt_release(enum interrupt_state before);

/* What to ask while the state is INTERRUPT_CANCELS: a callable that returns true to have
   KeyboardInterrupt raised. Borrowed; must live on. */
void interrupt_set_canceller(PyObject *callable);
