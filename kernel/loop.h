/*
 * loop - the one thread of the kernel process
 *
 * Waits for ZeroMQ sockets, descriptors and points in time, and calls back. A callback never
 * blocks and takes a bounded bite; what is ready is served in the order in which it was added, so
 * that control comes before shell and both before the guard's output. Returning a negative errno
 * from a callback ends the loop with that fault.
 *
 * Not zmq_poll(): that asks every socket twice a round, and each question costs libzmq two system
 * calls. Here one poll() waits for the descriptors; a socket is asked only after it was used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

struct loop;

typedef int (*loop_callback)(void *context);

/* Part of its owner; registered with the loop while it is in use. */
struct loop_source {
    void *socket; /* ZeroMQ socket, or NULL */
    int fd;       /* when socket is NULL */
    short events; /* POLLIN | POLLOUT; of a socket always POLLIN */
    bool paused;  /* kept, but not waited for */
    /*
     * The descriptor may not tell: of a socket, since it was last read until EAGAIN something was sent
     * through it (which takes libzmq's notes of what has arrived) or not all was read; of a descriptor,
     * the owner holds bytes that it has not handled. Set by the owner, forgotten in the next round.
     */
    bool again;
    bool ready; /* in this round; the loop's own */
    loop_callback callback;
    void *context;
};

struct loop_timer {
    int64_t due_ms; /* loop_now_ms() time; 0 while it is off */
    loop_callback callback;
    void *context;
};

struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* What runs at the end of every round, also the last one: for what is collected during a round. */
void loop_set_round_end(struct loop *loop, loop_callback callback, void *context);

/* A socket must be in use by nobody else: its descriptor is taken here. */
void loop_add(struct loop *loop, struct loop_source *source);
void loop_remove(struct loop *loop, struct loop_source *source);

void loop_add_timer(struct loop *loop, struct loop_timer *timer);
void loop_remove_timer(struct loop *loop, struct loop_timer *timer);
/* Fires once, `delay_ms` from now; an earlier setting is replaced. */
void loop_timer_start(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);

/* Milliseconds of a clock that never goes back. */
int64_t loop_now_ms(void);

/* Runs until loop_stop() or a fault. Returns 0 or the callback's -errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
