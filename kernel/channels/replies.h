/*
 * replies - what answers requests, on its way to a ROUTER
 *
 * Many requests are often sent at once ("run all"), and each message that libzmq is given while its thread sleeps wakes that
 * thread, mostly at the cost of ours: half the time of a short cell. So replies can be collected and sent together.
 * Owns the frames, not the socket.
 */
#pragma once

#include "kernel/wire/frames.h"

struct replies {
    struct frames *waiting; /* in the order in which they are to be sent */
    size_t count;
    size_t capacity;
    size_t bytes; /* of all that wait */
};

void replies_finish(struct replies *replies);

/* frames  TAKEN */
void replies_add(struct replies *replies, struct frames *frames);

/*
 * replies_send() - all that wait
 *
 * What is for a peer that has gone, or that does not read, is dropped with a word in the log.
 *
 * Returns 0 or -errno.
 */
int replies_send(struct replies *replies, void *socket);

/* One, now, in the same way; TAKEN. */
int reply_send(struct frames *frames, void *socket);
