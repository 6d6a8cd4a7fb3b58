/*
 * subshell - a thread that runs requests beside the main thread, in the same namespace
 *
 * Source: JEP 91. The kernel process gives each a number and a socket, by way of the thread that answers
 * questions (guard/link/aside.h); the thread says that it is there, takes requests as the main thread does, and ends
 * with its socket. It is a thread of Python's module `threading`, because cells look for it there. Signals
 * are the main thread's. Not for what a request does: that is the handler's.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

#include <stdbool.h>

/* Handles one request, in the thread of a subshell. Leaves no exception set. */
typedef void (*subshell_handler)(const struct frame *frame);

void subshell_set_handler(subshell_handler handler);

/* In the main thread, between two byte codes, when ASIDE_SIGNAL has come: what no other thread may do. */
void subshell_prepare(void);

/* Each in another thread than the subshell's, with the GIL; tells the kernel process what came of it (SUBSHELL). */
void subshell_open(unsigned number, int fd); /* fd: TAKEN */
/* Its socket is closed and no request runs. */
void subshell_close(unsigned number);

/* How many threads there are; whether any of them works on a request, so that a fork would cut it off. */
unsigned subshell_count(void);
bool subshell_is_working(void);

/* In its thread, when a request begins that can be interrupted: -1 with KeyboardInterrupt when it was to be already. */
int subshell_begin_cell(void);
/* In its thread: from here on an interrupt waits for the next subshell_begin_cell(). */
void subshell_hold(void);
/* In its thread: what the request at hand has to tell is settled, an interrupt comes too late for it. */
void subshell_end_request(void);

/* KeyboardInterrupt in this request, if it runs in a subshell or is about to: between two byte codes, or while it sleeps. */
void subshell_interrupt(uint32_t cell);
