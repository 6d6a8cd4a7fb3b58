/*
 * denials - what was refused to one cell, for its reply and for the audit log
 *
 * The guard tells every refusal, also those that a library swallowed, as a DENIAL frame. Nothing in
 * it is believed: the texts are taken out, cut and written anew as one line of JSON. A cell that is
 * refused a million times has its first DENIALS_KEPT refusals in the reply, and the number of all.
 * Owned by the request that runs. Not for deciding: that is the guard's.
 */
#pragma once

#include "guard/link/buffer.h"

enum {
    DENIALS_KEPT = 20,    /* in a reply */
    DENIALS_LOGGED = 200, /* in the logs, of one cell */
    DENIAL_TEXT_BYTES_MAX = 1024,
};

struct denials {
    struct buffer kept; /* objects with commas between them */
    long count;         /* of all */
};

void denials_finish(struct denials *denials);

/*
 * denials_add() - count one DENIAL frame, and keep it while there is room
 *
 * text        of the frame; a JSON object, checked before
 * ret_object  the refusal on one line; stays empty when the frame only says that some were skipped
 */
void denials_add(struct denials *denials, struct bytes text, struct buffer *ret_object);

/* Appends "denial_count":…,"denials":[…] */
void denials_append_members(const struct denials *denials, struct buffer *json);
