/*
 * subshell_thread - the guard's thread of a subshell, seen from here
 *
 * A socket to it, and orders about it that go to the guard's thread for questions (guard/link/aside.h). Not for what it is told
 * to do, nor when: that is subshells'.
 */
#pragma once

#include "kernel/execution/subshells.h"

/* Has it made; FRAME_SUBSHELL says what came of it. False: no socket. */
bool subshell_open_thread(struct subshell *subshell);

/* One of the orders of guard/link/aside.h. fd: that goes with it, or -1. */
void subshell_order(struct subshell *subshell, uint32_t type, uint32_t cell, int fd);

/* The thread sees the end of its socket; when it is over, the guard says so. */
void subshell_close_thread(struct subshell *subshell);

/* The same for a guard that is gone. */
void subshell_close_link(struct subshell *subshell);
