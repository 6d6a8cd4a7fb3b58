/*
 * loop - the one thread of the kernel process
 *
 * Waits for ZeroMQ sockets, descriptors and points in time, and calls back. A callback never
 * blocks and takes a bounded bite; what is ready is served in the order in which it was added, so
 * that control comes before shell and both before the guard's output. Returning a negative errno
 * from a callback ends the loop with that fault.
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
    short events; /* ZMQ_POLLIN | ZMQ_POLLOUT */
    bool paused;  /* kept, but not waited for */
    bool ready;   /* in this round; the loop's own */
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
