/*
 * last_words - why a guard cannot start, in Python's own words
 *
 * Python says it on stderr, where no cell is yet to show it. Kept are the last bytes of that.
 */
#pragma once

#include "guard/link/buffer.h"

void last_words_keep(struct buffer *words, struct bytes bytes);

/* The last line that says something: of a traceback, the exception; without its colours. A new string or NULL. */
char *last_words_line(const struct buffer *words);
