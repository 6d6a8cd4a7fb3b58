#include "guard/link/utf8.h"

#include "guard/link/plain_run.h"

#define REPLACEMENT "\xef\xbf\xbd"

static bool is_continuation(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* The range of the second byte rules out overlong forms, surrogates and what lies above U+10FFFF. */
static bool second_is_valid(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return is_continuation(second);
    }
}

int utf8_character(struct bytes text)
{
    const unsigned char *c = text.data;
    size_t needed;

    if (text.size == 0)
        return -1;
    if (c[0] < 0x80)
        return 1;
    if (c[0] < 0xC2 || c[0] > 0xF4)
        return 0;
    needed = c[0] < 0xE0 ? 2 : c[0] < 0xF0 ? 3 : 4;
    if (text.size > 1 && !second_is_valid(c[0], c[1]))
        return 0;
    for (size_t i = 2; i < needed && i < text.size; i++)
        if (!is_continuation(c[i]))
            return 0;
    return text.size < needed ? -1 : (int)needed;
}

size_t utf8_cut(struct bytes text, size_t most_bytes)
{
    const unsigned char *data = text.data;
    size_t end = most_bytes;

    if (text.size <= most_bytes)
        return text.size;
    while (end > 0 && most_bytes - end < 4 && is_continuation(data[end]))
        end--;
    return most_bytes - end < 4 ? end : most_bytes;
}

bool utf8_is_valid(struct bytes text)
{
    const unsigned char *c = text.data;
    size_t i = 0;

    while (i < text.size) {
        int length;

        if (c[i] < 0x80) {
            i++;
            continue;
        }
        length = utf8_character((struct bytes){c + i, text.size - i});
        if (length <= 0)
            return false;
        i += (size_t)length;
    }
    return true;
}

static void append_control(struct buffer *escaped, unsigned char c)
{
    switch (c) {
    case '\n':
        buffer_append_string(escaped, "\\n");
        return;
    case '\t':
        buffer_append_string(escaped, "\\t");
        return;
    case '\r':
        buffer_append_string(escaped, "\\r");
        return;
    case '"':
        buffer_append_string(escaped, "\\\"");
        return;
    case '\\':
        buffer_append_string(escaped, "\\\\");
        return;
    default:
        buffer_append(escaped, (struct bytes){(char[]){'\\', 'u', '0', '0', (char)('0' + (c >> 4)), "0123456789abcdef"[c & 15]}, 6});
    }
}

/* Appends one character or, where there is none, a replacement; returns how many bytes it took. */
static size_t append_character(struct utf8_decoder *decoder, struct bytes text,
                               struct buffer *escaped)
{
    const unsigned char *c = text.data;
    int length;

    if (c[0] < 0x80) {
        append_control(escaped, c[0]);
        return 1;
    }
    length = utf8_character(text);
    if (length > 0) {
        buffer_append(escaped, (struct bytes){c, (size_t)length});
        return (size_t)length;
    }
    if (length < 0) {
        memcpy(decoder->held, c, text.size);
        decoder->held_size = text.size;
        return text.size;
    }
    buffer_append_string(escaped, REPLACEMENT);
    return 1;
}

/* Completes the character that the last chunk cut in two; returns how many bytes of `text` it took. */
static size_t complete_held(struct utf8_decoder *decoder, struct bytes text, struct buffer *escaped)
{
    const unsigned char *c = text.data;
    size_t taken = 0;

    while (decoder->held_size != 0 && taken < text.size) {
        struct bytes held = {decoder->held, decoder->held_size + 1};
        int length;

        decoder->held[decoder->held_size] = c[taken];
        length = utf8_character(held);
        if (length == 0) {
            buffer_append_string(escaped, REPLACEMENT);
            decoder->held_size = 0;
            return taken;
        }
        taken++;
        decoder->held_size++;
        if (length > 0) {
            buffer_append(escaped, held);
            decoder->held_size = 0;
        }
    }
    return taken;
}

void utf8_append_escaped(struct utf8_decoder *decoder, struct bytes text, struct buffer *escaped)
{
    const unsigned char *c = text.data;
    size_t i = complete_held(decoder, text, escaped);

    buffer_reserve(escaped, text.size - i);
    while (i < text.size) {
        const char *at = (const char *)c + i;
        size_t plain = (size_t)(plain_run_end(at, at + text.size - i) - at);

        buffer_append(escaped, (struct bytes){at, plain});
        i += plain;
        if (i < text.size)
            i += append_character(decoder, (struct bytes){c + i, text.size - i}, escaped);
    }
}

void utf8_finish_escaped(struct utf8_decoder *decoder, struct buffer *escaped)
{
    if (decoder->held_size != 0)
        buffer_append_string(escaped, REPLACEMENT);
    decoder->held_size = 0;
}

void utf8_append_quoted(struct bytes text, struct buffer *json)
{
    struct utf8_decoder decoder = {.held_size = 0};

    buffer_append_char(json, '"');
    utf8_append_escaped(&decoder, text, json);
    utf8_finish_escaped(&decoder, json);
    buffer_append_char(json, '"');
}
