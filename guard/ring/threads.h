/*
 * threads - what Linux does to one thread only, done to every thread of the process
 *
 * Landlock and capabilities belong to threads, and set-up files may have started some (numpy starts
 * a pool when it is imported). Each existing thread is interrupted by a signal and restricts itself
 * in the handler; those that come later inherit. The signal is one that the C library keeps for
 * itself and that no thread can block: what setuid() uses for the same purpose. Nothing here is
 * bound to a process id, so that a forked copy inherits all of it.
 */
#pragma once

#include <stdint.h>

struct thread_restrictions {
    int ruleset;             /* of Landlock; -1: none */
    uint32_t landlock_flags;
    int capability_last;     /* the highest capability that this Linux knows */
};

/*
 * threads_restrict() - no new privileges, no capabilities, the ruleset: for all threads
 *
 * Returns 0; -ETIME when a thread did not answer in a second; or the -errno of the first thread
 * that could not. Then some threads are restricted and some are not.
 */
int threads_restrict(const struct thread_restrictions *restrictions);
