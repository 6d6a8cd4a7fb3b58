/*
 * errand_prompt - what a person reads before a command is run for a cell
 *
 * The words are the kernel process's own; the command and the folder come from the guard, and so perhaps
 * from a cell. Each line of the command stands behind a mark of ours, so that none can pass for the
 * kernel's own words; what could hide something is written as its number; a line that is too long goes on
 * in the next one. Of a very long command head and tail are shown, with how much is left out between
 * them. Pure text, no state.
 */
#pragma once

#include "guard/link/buffer.h"

enum {
    ERRAND_COLUMNS = 96,  /* of the command in one line of the question */
    ERRAND_LINES_MAX = 60, /* more are cut to the two below */
    ERRAND_LINES_HEAD = 40,
    ERRAND_LINES_TAIL = 16,
};

struct errand_words {
    struct bytes command;
    struct bytes folder; /* any bytes */
    const char *code;    /* what the answer has to repeat */
    long seconds;
};

void errand_prompt_append(struct buffer *prompt, const struct errand_words *words);
