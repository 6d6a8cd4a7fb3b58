/*
 * cell_error - the error of a cell on its way to iopub and into the reply
 *
 * Mostly it passes as the guard made it. Two kinds are made anew: that of a cell which exceeded a
 * limit (see breach), and one that is larger than max_output_kb.
 */
#pragma once

#include "guard/link/frame.h"
#include "kernel/execution/request.h"

/* Whether a reply says "error". */
bool cell_error_is(struct bytes content);

/* Publishes an ERROR frame. Returns 0 or -errno. */
int cell_error_publish(struct kernel *kernel, const struct frame *frame);

/*
 * cell_error_finish() - the content of an execute_reply, where it is not what the guard sent
 *
 * ret_content  stays empty when that is to be sent as it is
 *
 * A cell that swallowed the interrupt for a limit has published nothing yet: done here. Returns 0 or
 * -errno.
 */
int cell_error_finish(struct request *request, struct bytes content, struct buffer *ret_content);
