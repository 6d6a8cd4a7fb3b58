/*
 * capabilities - the rights of root, given up for ever
 *
 * For the calling thread only, as Linux has it: threads.h takes it to all of them. Nothing but
 * system calls, so that a signal handler may call it. The user id stays: root's own files are still
 * root's, other users' files are what their permission bits say.
 */
#pragma once

#include <stdbool.h>

/* The highest capability that the running Linux knows. */
int capabilities_last(void);

/* Empties the ambient, bounding, inheritable, permitted and effective sets. 0 or -errno. */
int capabilities_drop(int last);

/* Whether this thread has none left. */
bool capabilities_are_gone(void);
