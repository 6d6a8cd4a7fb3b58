/*
 * question_frame - an ASK frame, taken apart
 *
 * What a guard sends is hostile: numbers are digits within their limits, the row is one of
 * guard/link/questions.def. Not for what a question leads to: question.h. Owns nothing.
 */
#pragma once

#include "guard/link/frame.h"
#include "guard/link/questions.h"

struct question_asked {
    unsigned long number; /* the guard's */
    const struct question_row *row;
    unsigned long seconds; /* from 1 to an hour */
    struct bytes subject;  /* any bytes, borrowed from the frame */
};

/* False for a question that is none. */
bool question_frame_read(const struct frame *frame, struct question_asked *ret_asked);
