/*
 * threads - whether a copy of this process would miss any
 *
 * fork() copies the calling thread alone. Libraries that know it (OpenBLAS) stop their threads in a fork
 * handler and start them again when they are needed; handlers run in the reverse order of their
 * registration, so ours, the first, runs last and counts what is left.
 */
#pragma once

/* Registers the handler, once. Returns 0 or -errno. */
int threads_start(void);

/* Why a fork need not be tried: as many threads as when it was in vain. NULL: it may go well. Static. */
const char *threads_expect(void);

/* The fork that comes next is for a copy. */
void threads_count_at_fork(void);

/* Why the copy cannot be right, after the fork, in both processes; NULL when it is. Static. */
const char *threads_hindrance(void);

/* For a fork that runs no handlers: why a copy made now would not be right; NULL when it would. Static. */
const char *threads_now(void);
