/*
 * bytes - a view of memory that somebody else owns
 *
 * Wire data is never a C string: it may hold NUL bytes and it ends nowhere. A view is passed by
 * value, is never freed, and lives as long as what it points into.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
    const void *data;
    size_t size;
};

#define BYTES_NONE ((struct bytes){NULL, 0})
/* For string literals only: the size is the array's. */
#define BYTES_LITERAL(text) ((struct bytes){(text), sizeof(text) - 1})

static inline struct bytes bytes_of_string(const char *text)
{
    return (struct bytes){text, text != NULL ? strlen(text) : 0};
}

static inline bool bytes_equal(struct bytes one, struct bytes other)
{
    return one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

/* Whether there is at least one digit, at most `most`, and nothing else. */
static inline bool bytes_are_digits(struct bytes text, size_t most)
{
    const char *c = text.data;

    for (size_t i = 0; i < text.size && text.size <= most; i++)
        if (c[i] < '0' || c[i] > '9')
            return false;
    return text.size > 0 && text.size <= most;
}

static inline bool bytes_equal_string(struct bytes one, const char *text)
{
    return bytes_equal(one, bytes_of_string(text));
}
