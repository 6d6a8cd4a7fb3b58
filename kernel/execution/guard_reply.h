/*
 * guard_reply - the guard has done with a request: REPLY
 *
 * What it printed is drained before the reply, what it cost is added, a cell is put into history, and the next request of its shell
 * runs. A request that the guard does not answer ends in requests_fail().
 */
#pragma once

#include "guard/link/frame.h"

struct kernel;

/* The frame REPLY, of a request that runs. Returns 0 or -errno. */
int guard_reply_take(struct kernel *kernel, const struct frame *frame);
