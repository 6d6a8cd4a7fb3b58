/*
 * question_prompt - what a person reads when the kernel asks
 *
 * The words are the kernel process's own; only the path comes from the guard, and so perhaps from a
 * cell. It is shown whole, in quotes, on one line, every character that could hide something
 * written as its number; a name with letters beyond ASCII is shown a second time without them,
 * because a Cyrillic "a" looks like a Latin one. Pure text, no state.
 */
#pragma once

#include "guard/link/buffer.h"
#include "guard/link/questions.h"

/* A longer path is not asked about: nobody would read it to its end. */
enum { QUESTION_SUBJECT_BYTES_MAX = 512 };

struct question_words {
    const struct question_row *row;
    struct bytes subject; /* any bytes */
    const char *code;     /* what the answer has to repeat */
    long seconds;
};

void question_prompt_append(struct buffer *prompt, const struct question_words *words);

/* A path alone, in quotes, on a line that is not ended, and a second one where it needs that. */
void question_prompt_append_path(struct buffer *prompt, struct bytes path);
