#include "guard/link/buffer.h"

#include <stdarg.h>
#include <stdint.h>

static void __attribute__((noreturn)) die_out_of_memory(void)
{
    static const char text[] = "safepyrun: out of memory\n";

    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    abort();
}

void *xrealloc(void *memory, size_t size)
{
    void *grown = realloc(memory, size != 0 ? size : 1);

    if (grown == NULL)
        die_out_of_memory();
    return grown;
}

void *xmalloc(size_t size)
{
    return xrealloc(NULL, size);
}

void *xcalloc(size_t count, size_t size)
{
    void *memory = calloc(count != 0 ? count : 1, size != 0 ? size : 1);

    if (memory == NULL)
        die_out_of_memory();
    return memory;
}

char *xstrndup(const char *text, size_t size)
{
    char *copy = xmalloc(size + 1);

    if (size != 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

char *xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *xasprintf(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        die_out_of_memory();
    va_end(arguments);
    return text;
}

void buffer_finish(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = BUFFER_NONE;
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
    size_t needed = buffer->size + size;
    size_t capacity = buffer->capacity != 0 ? buffer->capacity : 256;

    if (needed < size)
        die_out_of_memory();
    if (needed <= buffer->capacity && buffer->data != NULL)
        return buffer->data + buffer->size;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    buffer->data = xrealloc(buffer->data, capacity);
    buffer->capacity = capacity;
    return buffer->data + buffer->size;
}

void buffer_commit(struct buffer *buffer, size_t size)
{
    buffer->size += size;
}

void buffer_append(struct buffer *buffer, struct bytes bytes)
{
    if (bytes.size == 0)
        return;
    memcpy(buffer_reserve(buffer, bytes.size), bytes.data, bytes.size);
    buffer_commit(buffer, bytes.size);
}

void buffer_append_string(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, bytes_of_string(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
    *buffer_reserve(buffer, 1) = c;
    buffer_commit(buffer, 1);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    enum { OFTEN_ENOUGH = 128 };
    char *at = buffer_reserve(buffer, OFTEN_ENOUGH);
    size_t room = buffer->capacity - buffer->size;
    va_list arguments;
    va_list again;
    int size;

    va_start(arguments, format);
    va_copy(again, arguments);
    size = vsnprintf(at, room, format, arguments);
    if (size >= 0 && (size_t)size >= room)
        size = vsnprintf(buffer_reserve(buffer, (size_t)size + 1), (size_t)size + 1, format, again);
    va_end(again);
    va_end(arguments);
    if (size < 0)
        abort(); /* a format of ours that is wrong */
    buffer_commit(buffer, (size_t)size);
}

void buffer_append_hex(struct buffer *buffer, struct bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes.data;
    char *at = buffer_reserve(buffer, 2 * bytes.size);

    for (size_t i = 0; i < bytes.size; i++) {
        *at++ = digits[from[i] >> 4];
        *at++ = digits[from[i] & 15];
    }
    buffer_commit(buffer, 2 * bytes.size);
}

void buffer_drop_front(struct buffer *buffer, size_t size)
{
    if (size == 0)
        return;
    buffer->size -= size;
    memmove(buffer->data, buffer->data + size, buffer->size);
}

void buffer_clear(struct buffer *buffer, size_t keep_bytes)
{
    if (buffer->capacity > keep_bytes)
        buffer_finish(buffer);
    buffer->size = 0;
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->data, buffer->size};
}

char *buffer_steal_string(struct buffer *buffer)
{
    char *text;

    buffer_append_char(buffer, '\0');
    text = steal(buffer->data);
    *buffer = BUFFER_NONE;
    return text;
}
