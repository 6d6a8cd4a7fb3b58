/* What a single value of JSON text says, and how text is written as one. */
#include "kernel/wire/json_text.h"

#include "guard/link/utf8.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool json_text_bool(struct bytes value, bool *ret_truth)
{
    if (bytes_equal_string(value, "true")) {
        *ret_truth = true;
        return true;
    }
    if (!bytes_equal_string(value, "false"))
        return false;
    *ret_truth = false;
    return true;
}

bool json_text_integer(struct bytes value, long *ret_number)
{
    char digits[24];
    char *end;
    long number;

    if (value.size == 0 || value.size >= sizeof(digits))
        return false;
    memcpy(digits, value.data, value.size);
    digits[value.size] = '\0';
    errno = 0;
    number = strtol(digits, &end, 10);
    if (errno != 0 || *end != '\0' || digits[0] == ' ' || digits[0] == '+')
        return false;
    *ret_number = number;
    return true;
}

static unsigned hex_value(const char *digits)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        char c = digits[i];

        value = value * 16 +
                (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static void append_code_point(struct buffer *buffer, uint32_t c)
{
    if (c < 0x80) {
        buffer_append_char(buffer, (char)c);
    } else if (c < 0x800) {
        buffer_append_char(buffer, (char)(0xC0 | (c >> 6)));
        buffer_append_char(buffer, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buffer_append_char(buffer, (char)(0xE0 | (c >> 12)));
        buffer_append_char(buffer, (char)(0x80 | ((c >> 6) & 0x3F)));
        buffer_append_char(buffer, (char)(0x80 | (c & 0x3F)));
    } else {
        buffer_append_char(buffer, (char)(0xF0 | (c >> 18)));
        buffer_append_char(buffer, (char)(0x80 | ((c >> 12) & 0x3F)));
        buffer_append_char(buffer, (char)(0x80 | ((c >> 6) & 0x3F)));
        buffer_append_char(buffer, (char)(0x80 | (c & 0x3F)));
    }
}

/* Decodes \uXXXX, with its second half where there is one; returns how many characters it took. */
static size_t decode_unicode(const char *at, const char *end, struct buffer *decoded)
{
    unsigned first = hex_value(at + 1);
    unsigned second;

    if (first < 0xD800 || first > 0xDFFF) {
        append_code_point(decoded, first);
        return 5;
    }
    if (first < 0xDC00 && end - at >= 11 && at[5] == '\\' && at[6] == 'u') {
        second = hex_value(at + 7);
        if (second >= 0xDC00 && second <= 0xDFFF) {
            append_code_point(decoded, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            return 11;
        }
    }
    append_code_point(decoded, 0xFFFD);
    return 5;
}

static char simple_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

bool json_text_string(struct bytes value, struct buffer *decoded)
{
    const char *at;
    const char *end;

    if (!json_text_is_string(value))
        return false;
    at = (const char *)value.data + 1;
    end = at + value.size - 2;
    while (at < end) {
        const char *plain = memchr(at, '\\', (size_t)(end - at));

        if (plain == NULL)
            plain = end;
        buffer_append(decoded, (struct bytes){at, (size_t)(plain - at)});
        at = plain;
        if (at == end)
            break;
        at++;
        if (*at == 'u') {
            at += decode_unicode(at, end, decoded);
        } else {
            buffer_append_char(decoded, simple_escape(*at));
            at++;
        }
    }
    return true;
}

/* Of JSON that was checked before: every string has its end. */
void json_text_append_lines(struct bytes list, struct buffer *text)
{
    const char *at = list.data;
    const char *end = at + list.size;
    bool is_first = true;

    if (list.size == 0 || *at != '[')
        return;
    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        const char *start = at++;

        while (*at != '"')
            at += *at == '\\' ? 2 : 1;
        at++;
        if (!is_first)
            buffer_append_char(text, '\n');
        is_first = false;
        json_text_string((struct bytes){start, (size_t)(at - start)}, text);
    }
}

void json_text_append_string(struct buffer *buffer, struct bytes text)
{
    utf8_append_quoted(text, buffer);
}

void json_text_append_string_member(struct buffer *object, const char *name, struct bytes text)
{
    buffer_append_format(object, "%s\"%s\":", object->size > 1 ? "," : "", name);
    utf8_append_quoted(text, object);
}
