/*
 * link_end - the guard's end of the link
 *
 * There is one per process. Frames may be posted by any thread, with or without the GIL; they are
 * received by the main thread alone. A frame is never cut: what the socket does not take at once is
 * kept and goes out first, also when the wait for it was interrupted. When the kernel process is
 * gone the guard has no reason to live: the process ends at once, without Python's finalisation.
 *
 * In a child that a cell forked, the link belongs to the parent: everything posted there is
 * dropped.
 */
#pragma once

#include "guard/link/frame.h"

#include <stdbool.h>

/* Takes the descriptor over and makes it non-blocking. Returns 0 or -errno. */
int link_end_open(int fd);
/*
 * link_end_renew() - in a copy of the process: another link, under the same number
 *
 * What the process that forked had received or not yet sent is forgotten: it is that one's to handle.
 *
 * fd  TAKEN
 */
void link_end_renew(int fd);
/* For select(); -1 when there is none. */
int link_end_fd(void);
/* Whether this process is a child that a cell forked. */
bool link_end_is_detached(void);

/* Bytes that the socket has not taken yet. */
size_t link_end_pending(void);

/* Queues the frame and gives the socket what it takes now. Needs no GIL and never waits. */
void link_end_post(const struct frame *frame);

/* Between the two calls, which may be nested, frames are collected: the kernel process wakes once for them. */
void link_end_hold(void);
void link_end_release(void);
/* The same for what is queued already; returns whether something is still waiting. */
bool link_end_push_on(void);

/*
 * link_end_drain() - wait until the socket has taken everything
 *
 * Lets the GIL go while it waits. Returns 0, or -1 with an exception that a signal handler raised:
 * the frames stay queued and are not lost.
 */
int link_end_drain(void);

/* link_end_post() and link_end_drain(); -1 also when the frame is beyond the limits. */
int link_end_send(const struct frame *frame);

/*
 * link_end_receive() - the next frame for the guard
 *
 * Lets the GIL go while it waits. ret_frame is borrowed until the next call. Returns 0, or -1 with
 * an exception that a signal handler raised.
 */
int link_end_receive(struct frame *ret_frame);

/* Waits for something to receive, or to be woken (interrupt_wake()). -1: as link_end_receive(). */
int link_end_wait(void);

/* link_end_receive() for one type: frames of other types are kept for link_end_receive(). */
int link_end_receive_type(enum frame_type type, struct frame *ret_frame);

/*
 * link_end_look_for() - a frame of this type, if one has come
 *
 * Does not wait and runs no Python code. Frames of other types are kept. Main thread only.
 */
bool link_end_look_for(enum frame_type type, struct frame *ret_frame);

/*
 * link_end_exchange() - send a frame and wait for one of another type
 *
 * For the audit hook: no Python code runs, the GIL is kept and signals are left for later. Main
 * thread only. ret_frame as above. Returns false when the main thread is in the middle of receiving
 * (a signal handler asks), or in a child: then nothing was sent.
 */
bool link_end_exchange(const struct frame *frame, enum frame_type type, struct frame *ret_frame);

/*
 * link_end_wait_quietly() - the next frame, with poll() and nothing of Python
 *
 * last  a frame of this type is left for link_end_receive()
 *
 * Returns false when that one has come; else ret_frame is as above.
 */
bool link_end_wait_quietly(enum frame_type last, struct frame *ret_frame);

/* Whether this thread waits for a frame, so that a signal handler of the cell runs below. */
bool link_end_is_receiving(void);

/* Whether link_end_receive() would find something without waiting for the other side, or within this time. */
bool link_end_has_input(void);
bool link_end_has_input_within(int timeout_ms);

/*
 * In the thread of a subshell: frames come from a socket of its own, in the same ways. When the other side has
 * closed that, receiving fails with EOFError, and link_end_is_over() tells. What is sent goes over the link.
 *
 * fd  TAKEN
 */
void link_end_enter_thread(int fd);
bool link_end_is_over(void);
void link_end_leave_thread(void);

/* Gives everything to the socket without the GIL and whatever the signals: before the process ends.
 */
void link_end_close(void);
