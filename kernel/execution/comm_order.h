/*
 * comm_order - cells of the main shell and comm messages of subshells, in the order in which they came
 *
 * Subshells run beside the main shell, which is what a front end wants that sends comm messages to them: a widget's callback
 * runs while a cell runs. A cell that was sent after a comm message shall find what that has changed all the same. So
 * the cell waits for those that came before it, as long as one of them is done every PATIENCE_MS; what takes longer has been
 * overtaken, and no cell waits for it again, nor for what stands behind it. Nothing waits in the other direction. Not for cells of subshells.
 */
#pragma once

#include "kernel/execution/request.h"
#include "kernel/loop.h"

struct comm_order {
    struct loop_timer timer;
    uint64_t cell; /* the arrival of the one that waits; 0: none */
};

void comm_order_init(struct kernel *kernel);

/* comm_open, comm_msg, comm_close. */
bool comm_order_is_comm(const struct request *request);

/* Whether the first request of the main queue is a cell that has to wait. comm_order_note_done() or the timer goes on. */
bool comm_order_holds(struct kernel *kernel);

/* A subshell has done with the comm message of this arrival. Returns 0 or -errno. */
int comm_order_note_done(struct kernel *kernel, uint64_t arrival);

/*
 * comm_order_follow() - a comm message is about to wait in a subshell: so do those of its comm that wait in the main queue
 *
 * A front end sends what belongs to one comm to the main shell until its subshell is made.
 */
void comm_order_follow(struct kernel *kernel, const struct request *request, struct subshell *subshell);
