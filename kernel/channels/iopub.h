/*
 * iopub - everything a kernel publishes, to everybody who listens
 *
 * Nothing is dropped: what a slow subscriber keeps the socket from taking waits in a queue of ours,
 * and a queue that is full is felt by the cell, which has to wait (iopub_is_congested()). Who takes
 * nothing at all for a long time is disconnected, or one client that hangs would hang every cell: libzmq
 * has no view of one subscriber, but TCP has (TCP_USER_TIMEOUT; on ipc the cell waits).
 * Every subscriber is welcomed before it hears anything else (JEP 65), unless a thousand welcomes wait. Where a slow
 * one keeps the queue from becoming empty, a newcomer hears what stands in it behind its welcome: left out until the
 * queue is empty, it would miss what it asks for meanwhile.
 *
 * What is published in one round of the loop leaves together, at its end or later (channels_end_round()): libzmq
 * then writes it to a connection at once, where each message alone would wake its thread and every subscriber. Who
 * sends on another channel what must come later, a reply, calls iopub_flush() first.
 */
#pragma once

#include "kernel/loop.h"
#include "kernel/wire/frames.h"

enum { IOPUB_PATIENCE_MS = 120 * 1000 };

struct iopub {
    void *socket; /* XPUB, owned */
    struct loop_source source; /* tells of subscriptions */
    struct frames *waiting; /* ring of messages that the socket has not taken yet */
    size_t first;
    size_t count;
    size_t capacity;
    size_t bytes; /* of the messages in the ring */
    unsigned welcomes; /* given since the queue was last empty */
    bool is_welcoming; /* what is published now is a welcome */
    bool is_full; /* the socket took no more; `retry` tries again */
    struct loop_timer retry;
    void (*welcome)(void *context, struct bytes subscription);
    void *context;
};

/*
 * iopub_init() - make the socket; the caller binds it
 *
 * patience_ms  a subscriber that has taken nothing for so long, while something waits for it, is cut off
 * welcome      called for every new subscription whose topic is UTF-8, after it took effect
 *
 * Returns 0 or -errno.
 */
int iopub_init(struct iopub *iopub, void *zmq_context, struct loop *loop, int patience_ms,
               void (*welcome)(void *context, struct bytes subscription), void *context);
/* Watches for subscriptions from now on. */
void iopub_listen(struct iopub *iopub, struct loop *loop);
void iopub_finish(struct iopub *iopub, struct loop *loop);

/* Queues one message; TAKEN. What is long, or full, is sent at once. Returns 0 or -errno. */
int iopub_publish(struct iopub *iopub, struct frames *frames);

/* Gives the socket what it takes of the queue. Returns 0 or -errno. */
int iopub_flush(struct iopub *iopub);

/* Takes in the subscriptions that have arrived, or the first of very many. Returns 0 or -errno. */
int iopub_read_subscriptions(struct iopub *iopub);

/* Whether so much waits that no more output should be taken from the guard. */
bool iopub_is_congested(const struct iopub *iopub);

/* Gives waiting messages to the socket for at most `limit_ms`, at the end of the process. */
void iopub_drain(struct iopub *iopub, int limit_ms);
