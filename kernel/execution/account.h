/*
 * account - what one cell took and what was refused to it
 *
 * Measured here and not in the guard, so that a cell cannot change it: wall time between handing
 * the cell over and its reply, CPU time of the whole guard process meanwhile. Told twice: as member
 * "safepyrun" of execute_reply's metadata, and as lines of the audit log.
 */
#pragma once

#include "kernel/kernel.h"

/* After a line of the audit log: says in our own log when lines are lost. */
void account_warn(struct kernel *kernel);

/* The cell is about to go to the guard. */
void account_begin(struct kernel *kernel, struct request *request);

/* How long the request has been with the guard; 0 for one that was not. */
double account_running_ms(const struct request *request);

/* One DENIAL frame, of the cell that runs or of one that is over. */
void account_denial(struct kernel *kernel, const struct frame *frame);

/* A record of a tool process; what is no JSON object on one line is none. */
void account_tool(struct kernel *kernel, struct bytes record);

/*
 * account_end() - the cell is over
 *
 * status         "ok", "error", or "died": the guard went with it
 * ret_metadata   {"wall_ms", "cpu_ms", "denial_count", "denials"} is appended; NULL: not wanted
 */
void account_end(struct kernel *kernel, const struct request *request, const char *status,
                 struct buffer *ret_metadata);
