/*
 * comms - which comms are open
 *
 * The kernel process sees every comm_open and comm_close of both sides pass by, so that it can
 * answer comm_info_request also while a cell runs. What the messages mean is the guard's and the
 * frontend's affair.
 */
#pragma once

#include "guard/link/buffer.h"

#include <stdint.h>

struct comms; /* opaque */

struct comms *comms_new(void);
void comms_free(struct comms *comms);

/* Look at the content of a comm_open or comm_close that passes; a bad one changes nothing. `cell` is the
   number of the request that opens it. */
void comms_note_open(struct comms *comms, struct bytes content, uint32_t cell);
void comms_note_close(struct comms *comms, struct bytes content);

/* content: of the comm_close that front ends get. Returns 0 or -errno. */
typedef int comms_closed(void *context, struct bytes content);

/*
 * comms_close_after() - close all that a later request than `cell` has opened
 *
 * In one walk: a cell can open as many as are kept, and to begin anew for each would take a minute.
 *
 * Returns 0, or what `closed` returned: all are closed, but it is not called for the others.
 */
int comms_close_after(struct comms *comms, uint32_t cell, comms_closed *closed, void *context);

/* All are closed: the guard that had them is gone. */
void comms_clear(struct comms *comms);

/* Appends {"id": {"target_name": …}, …}; `target` limits it to one target, NULL does not. */
void comms_append_info(const struct comms *comms, const char *target, struct buffer *json);
