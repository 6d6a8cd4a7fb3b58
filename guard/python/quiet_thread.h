/*
 * quiet_thread - a thread of the guard's own that gets no signals
 *
 * Signals are for the main thread, which alone can run their Python handlers. The thread is nobody's to wait for, and
 * stays behind in a fork.
 */
#pragma once

#include <stdbool.h>

/* Whether it runs. run: with a context of NULL. */
bool quiet_thread_start(void *(*run)(void *context));
