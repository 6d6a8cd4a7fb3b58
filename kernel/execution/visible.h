/*
 * visible - which characters a person may be shown as they are
 *
 * In a question, what comes from a cell must hide nothing: no character that moves, covers or joins what
 * stands beside it, and none from a script that nobody expects. Pure text, no state; how the others are
 * written is the caller's.
 */
#pragma once

#include "guard/link/bytes.h"

struct visible_character {
    size_t size;         /* in bytes */
    unsigned long point; /* its number; of what is no UTF-8, the byte */
    bool is_byte;        /* a control character, or a byte that is no UTF-8 */
    bool is_shown;
};

/* The first one of a text that is not empty. */
struct visible_character visible_at(struct bytes text);

bool visible_is_ascii(struct bytes text);
