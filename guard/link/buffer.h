/*
 * buffer - bytes that we own and that grow
 *
 * Not for data whose size a stranger chose without a limit: check the limit first. Growth that
 * fails ends the process (house style, section 5), so the functions that append return nothing.
 */
#pragma once

#include "guard/link/bytes.h"
#include "guard/link/cleanup.h"

struct buffer {
    char *data;      /* NULL while nothing was appended; not NUL-terminated */
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
};

#define BUFFER_NONE ((struct buffer){NULL, 0, 0})

/* malloc and friends that end the process instead of returning NULL. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t size);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

void buffer_finish(struct buffer *buffer);

/* Makes room for `size` more bytes and returns where they go; buffer_commit() counts them. */
char *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_commit(struct buffer *buffer, size_t size);

void buffer_append(struct buffer *buffer, struct bytes bytes);
void buffer_append_string(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Two lower-case digits for each byte. */
void buffer_append_hex(struct buffer *buffer, struct bytes bytes);

/* Forgets the first `size` bytes. */
void buffer_drop_front(struct buffer *buffer, size_t size);
/* Empties it and keeps the memory, unless that is more than `keep_bytes`. */
void buffer_clear(struct buffer *buffer, size_t keep_bytes);

/* A view, borrowed until the next change. */
struct bytes buffer_bytes(const struct buffer *buffer);
/* The content as a new NUL-terminated string; the buffer is empty afterwards. */
char *buffer_steal_string(struct buffer *buffer);

#define cleanup_buffer cleanup_with(buffer_finish)
