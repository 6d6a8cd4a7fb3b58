#include "kernel/supervisor/last_words.h"

#include "kernel/wire/colours.h"

enum { WORDS_BYTES = 4 * 1024 };

void last_words_keep(struct buffer *words, struct bytes bytes)
{
    buffer_append(words, bytes);
    if (words->size > WORDS_BYTES)
        buffer_drop_front(words, words->size - WORDS_BYTES);
}

char *last_words_line(const struct buffer *words)
{
    cleanup_buffer struct buffer plain = BUFFER_NONE;
    size_t end = words->size;
    size_t start;

    while (end > 0 && strchr(" \t\r\n", words->data[end - 1]) != NULL)
        end--;
    start = end;
    while (start > 0 && words->data[start - 1] != '\n')
        start--;
    colours_strip((struct bytes){words->data + start, end - start}, &plain);
    return plain.size > 0 ? xstrndup(plain.data, plain.size) : NULL;
}
