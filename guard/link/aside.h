/*
 * aside - questions that do not wait for the cell that runs
 *
 * Completion, inspection and the list of variables are asked on the link while nothing runs. While a cell
 * does, nobody reads the link, so they come as packets on a socket of their own (DESCRIPTOR_ASIDE), each
 * with this head and the content of the request behind it, to a thread of the guard's. It is started by
 * the first of them, with a signal that is ignored where nobody waits for it. Answers go over the link (ASIDE).
 *
 * A frozen copy is asked on its own link, with the frames that a guard is asked with; it forks, and the answer comes
 * back on this socket, as one packet with the same head.
 */
#pragma once

#include <signal.h>
#include <stdint.h>

#define ASIDE_SIGNAL SIGURG
#define ASIDE_BYTES_MAX (64 * 1024)   /* of a question; a socket takes no packet of any size */
#define ASIDE_ANSWER_MAX (256 * 1024) /* as one packet */

/* Orders to the same thread, which are no questions. */
enum {
    ASIDE_OPEN_SUBSHELL = 1001, /* cell: its number; its socket comes with the packet */
    ASIDE_CLOSE_SUBSHELL,       /* cell: its number; its socket is closed */
    ASIDE_INTERRUPT_SUBSHELL,   /* cell: that of the request */
};

struct aside_head {
    uint32_t type;    /* enum frame_type: COMPLETE, INSPECT, IS_COMPLETE or VARIABLES; or an order */
    uint32_t cell;    /* the number that the answer names */
    int64_t until_ms; /* CLOCK_MONOTONIC; later nobody waits for the answer */
};
