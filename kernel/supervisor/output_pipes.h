/*
 * output_pipes - what a process of ours writes to its fds 1 and 2
 *
 * The read ends of two pipes. Read in bounded bites when the loop tells, and to the end when the owner asks.
 * What the bytes mean is not known here.
 */
#pragma once

#include "guard/link/bytes.h"
#include "kernel/loop.h"

/* index: 0 for stdout, 1 for stderr. Returns 0 or -errno. */
typedef int output_pipe_bytes(void *context, int index, struct bytes bytes);

struct output_pipes {
    struct loop *loop;
    output_pipe_bytes *take;
    void *context;
    int fds[2]; /* -1: closed */
    struct loop_source sources[2];
};

void output_pipes_init(struct output_pipes *pipes, struct loop *loop, output_pipe_bytes *take, void *context);

/* fds: non-blocking, -1 where there is none; TAKEN. */
void output_pipes_open(struct output_pipes *pipes, const int fds[2]);
void output_pipes_close(struct output_pipes *pipes);

/* Paused: what is written stays where it is. */
void output_pipes_set_paused(struct output_pipes *pipes, bool paused);

/* Reads all that has been written, paused or not. Returns 0 or -errno. */
int output_pipes_drain(struct output_pipes *pipes);
