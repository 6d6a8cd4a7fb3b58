/*
 * guard_outputs - the pipes behind a guard's fds 1 and 2
 *
 * Read in bounded bites when the loop tells, and to the end before a reply. A guard and its copies share
 * them, so they stay when one takes over. What the bytes mean is not known here.
 */
#pragma once

#include "guard/link/bytes.h"
#include "guard/link/frame.h"
#include "kernel/loop.h"

/* stream: FRAME_STDOUT or FRAME_STDERR. Returns 0 or -errno. */
typedef int guard_output(void *context, enum frame_type stream, struct bytes bytes);

struct guard_outputs {
    struct loop *loop;
    guard_output *take;
    void *context;
    int fds[2]; /* read ends; -1: closed */
    struct loop_source sources[2];
};

void guard_outputs_init(struct guard_outputs *outputs, struct loop *loop, guard_output *take, void *context);

/* fds: non-blocking; TAKEN. */
void guard_outputs_open(struct guard_outputs *outputs, const int fds[2]);
void guard_outputs_close(struct guard_outputs *outputs);

/* Paused: what is written stays where it is. */
void guard_outputs_set_paused(struct guard_outputs *outputs, bool paused);

/* Reads all that has been written, paused or not. Returns 0 or -errno. */
int guard_outputs_drain(struct guard_outputs *outputs);
