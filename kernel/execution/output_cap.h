/*
 * output_cap - max_output_kb: of what a cell prints, head and tail
 *
 * The first half of the limit passes at once; of what follows, the last half is kept back until the
 * cell is over, and what lies between is left out, with a word on how much. Bytes in, bytes out: it
 * publishes nothing and knows no messages. Owns what it keeps, which is never more than the limit.
 */
#pragma once

#include "guard/link/buffer.h"

#include <stdint.h>

struct output_cap {
    size_t limit_bytes; /* 0: everything passes */
    size_t passed_bytes;
    uint64_t left_out_bytes;
    unsigned long left_out_displays;
    struct buffer tail;   /* bytes of all pieces; those before `tail_start` are left out already */
    size_t tail_start;
    struct buffer pieces; /* struct output_piece, oldest first; those before `first_piece` are gone */
    size_t first_piece;
};

/* Bytes of one stream and cell that followed each other. */
struct output_piece {
    unsigned stream;
    uint32_t cell;
    size_t size;
};

void output_cap_finish(struct output_cap *cap);

/* Forgets what was counted and kept: another cell begins, or the output was cleared. */
void output_cap_reset(struct output_cap *cap);

/* How many of these bytes pass now; the others were taken over. */
size_t output_cap_take(struct output_cap *cap, unsigned stream, uint32_t cell, struct bytes bytes);

/* Whether something that is shown as a whole may pass. It is counted either way. */
bool output_cap_admits(struct output_cap *cap, size_t size);

/* Whether anything is kept back or was left out. */
bool output_cap_holds(const struct output_cap *cap);

/* Says what was left out, for the place where it was; appends nothing when all is there. */
void output_cap_append_note(const struct output_cap *cap, struct buffer *text);

/* Takes out the oldest piece that was kept; false when there is none. Borrowed until the next call. */
bool output_cap_next(struct output_cap *cap, struct output_piece *ret_piece,
                     struct bytes *ret_bytes);

/* `text` as it is, or its head and tail with a note between them, in UTF-8. */
void output_cap_append_cut(const struct output_cap *cap, struct bytes text, struct buffer *cut);
