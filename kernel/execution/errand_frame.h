/*
 * errand_frame - an ERRAND frame, taken apart
 *
 * What a guard sends is hostile: the number is digits, words are those of guard/link/errands, texts end
 * nowhere in their middle. Not for what an errand leads to: errand.h. Owns nothing.
 */
#pragma once

#include "guard/link/errands.h"
#include "guard/link/frame.h"

struct errand_asked {
    struct bytes number;
    enum errand_program program;
    enum errand_output outputs[2]; /* of stdout and stderr */
    struct bytes folder;           /* any bytes but 0, as the text; borrowed from the frame */
    struct bytes text;
};

/* False for an errand that is none. */
bool errand_frame_read(const struct frame *frame, struct errand_asked *ret_asked);
