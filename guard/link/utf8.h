/*
 * utf8 - bytes from anywhere into text that every JSON reader takes
 *
 * What a cell writes may be any bytes, cut anywhere. A decoder keeps the start of a character that
 * the last chunk cut in two; what is not UTF-8 becomes U+FFFD. Not for data that must be refused
 * when it is wrong: see utf8_is_valid().
 */
#pragma once

#include "guard/link/buffer.h"
#include "guard/link/bytes.h"

struct utf8_decoder {
    unsigned char held[4]; /* a character that is not complete yet */
    size_t held_size;
};

/*
 * How many bytes the well-formed character at the start of `text` has (Unicode 15, table 3-7);
 * 0 when it is not well-formed; -1 when `text` ends inside of a character that may become one.
 */
int utf8_character(struct bytes text);

bool utf8_is_valid(struct bytes text);

/* The largest size up to `most_bytes` that ends with a whole character; text that is no UTF-8 is cut anywhere. */
size_t utf8_cut(struct bytes text, size_t most_bytes);

/* Appends `text` as the inside of a JSON string (RFC 8259, section 7), without the quotes. */
void utf8_append_escaped(struct utf8_decoder *decoder, struct bytes text, struct buffer *escaped);

/* At the end of a stream: a character that never got complete becomes U+FFFD. */
void utf8_finish_escaped(struct utf8_decoder *decoder, struct buffer *escaped);

/* Appends a whole text as a JSON string with its quotes. */
void utf8_append_quoted(struct bytes text, struct buffer *json);
