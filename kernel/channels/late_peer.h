/*
 * late_peer - a message on a ROUTER whose peer may still be connecting
 *
 * A front end opens shell and stdin at once, but nothing says which is up first: what a first cell
 * asks on stdin can come before the connection, and a ROUTER drops it without a word. Here the socket
 * has to say so (ROUTER_MANDATORY), and the message is tried again for a bounded time.
 * Holds one message for each who asks: a question that is asked anew replaces the one before. Owns their
 * frames, not the socket.
 */
#pragma once

#include "kernel/loop.h"
#include "kernel/wire/frames.h"

enum { LATE_PEER_PATIENCE_MS = 10 * 1000 };

struct late_message {
    struct late_message *next;
    const void *asker; /* who it is, and nothing more */
    struct frames frames;
    int64_t give_up_ms;
};

struct late_peer {
    struct loop_source *source; /* the ROUTER's; borrowed */
    struct late_message *first; /* of those that wait */
    struct loop_timer timer;
};

/* Makes the socket report unknown peers. Returns 0 or -errno. */
int late_peer_init(struct late_peer *late, struct loop *loop, struct loop_source *source);
void late_peer_finish(struct late_peer *late, struct loop *loop);

/* Sends the message now, or when its peer has come; TAKEN. Returns 0 or -errno. */
int late_peer_send(struct late_peer *late, const void *asker, struct frames *frames);

/* What still waits of this one is not wanted any more. */
void late_peer_forget(struct late_peer *late, const void *asker);
