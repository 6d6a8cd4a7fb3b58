/*
 * fuzz_parts - the parts of a frame, out of the bytes of one input
 *
 * So that a corpus can be written by hand: each part but the last ends with a newline. Views into the input.
 */
#pragma once

#include "guard/link/bytes.h"

/* At most `most` parts, at least one. Returns how many. */
static inline size_t fuzz_parts_split(struct bytes data, struct bytes *ret_parts, size_t most)
{
    size_t count = 0;

    while (count < most - 1) {
        const char *end = data.size > 0 ? memchr(data.data, '\n', data.size) : NULL;

        if (end == NULL)
            break;
        ret_parts[count].data = data.data;
        ret_parts[count].size = (size_t)(end - (const char *)data.data);
        data.size -= ret_parts[count++].size + 1;
        data.data = end + 1;
    }
    ret_parts[count++] = data;
    return count;
}
