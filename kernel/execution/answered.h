/*
 * answered - a cell's answer that is sent while the guard works on the next cell
 *
 * A short cell costs the kernel process as much time as the guard: reply, idle, and the next one's busy and
 * execute_input have to be written. So of cells that wait in line, the next goes to the guard first. The order in which
 * clients hear of them stays: request_open() sends what is held before it says that another request begins.
 * Part of the kernel; empty whenever the loop is.
 */
#pragma once

#include "guard/link/buffer.h"

struct kernel;
struct request;

struct answered {
    struct request *request; /* NULL: nothing is held */
    struct bytes content;    /* of its reply; borrowed */
    struct buffer metadata;
};

/*
 * answered_hold() - keep an answer back until another request begins, or answered_send()
 *
 * request   TAKEN
 * content   borrowed until it is sent
 * metadata  TAKEN
 */
void answered_hold(struct kernel *kernel, struct request *request, struct bytes content, struct buffer *metadata);

/* Sends what is held, if anything is. Returns 0 or -errno. */
int answered_send(struct kernel *kernel);
