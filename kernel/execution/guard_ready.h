/*
 * guard_ready - the guard says what it is: READY
 *
 * Its version, banner and OS ring are repeated to clients, its limits are enforced from here, and what
 * its policy wants of copies and templates is passed on. Then the queue may run.
 */
#pragma once

#include "guard/link/frame.h"

struct kernel;

/* The frame READY. Returns 0 or -errno. */
int guard_ready_take(struct kernel *kernel, const struct frame *frame);
