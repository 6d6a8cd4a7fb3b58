#include "kernel/wire/passive.h"

#include "kernel/wire/json_text.h"

/* In text/latex and text/markdown there can be links that run, and pictures from elsewhere. */
static const char *const passive_types[] = {"text/plain", "image/png",        "image/jpeg",
                                            "image/gif",  "image/webp",       "application/json",
                                            "application/vnd.safepyrun.refusal+json"};

/* Each level is read again for the one above. What messages say is not so deep. */
enum { LEVELS_MAX = 16 };

enum verdict { DESCEND, KEEP, LEAVE_OUT };

/* A member with a slash in its name is a form of something that is shown. */
static enum verdict judge(struct bytes key)
{
    cleanup_buffer struct buffer name = BUFFER_NONE;

    if (!json_text_string(key, &name))
        return LEAVE_OUT;
    if (name.size == 0 || memchr(name.data, '/', name.size) == NULL)
        return DESCEND;
    for (size_t i = 0; i < sizeof(passive_types) / sizeof(passive_types[0]); i++)
        if (bytes_equal_string(buffer_bytes(&name), passive_types[i]))
            return KEEP;
    return LEAVE_OUT;
}

static void append_value(struct bytes value, int levels, struct buffer *text)
{
    char bracket = value.size > 0 ? *(const char *)value.data : '\0';
    struct bytes rest = BYTES_NONE;
    struct bytes key;
    struct bytes inner;
    bool is_first = true;

    if (bracket != '{' && bracket != '[') {
        buffer_append(text, value);
        return;
    }
    if (levels == 0) {
        buffer_append_string(text, "null");
        return;
    }
    rest = json_text_inside(value);
    buffer_append_char(text, bracket);
    while (json_text_next(&rest, bracket == '{', &key, &inner)) {
        enum verdict verdict = bracket == '{' ? judge(key) : DESCEND;

        if (verdict == LEAVE_OUT)
            continue;
        if (!is_first)
            buffer_append_char(text, ',');
        is_first = false;
        if (bracket == '{') {
            buffer_append(text, key);
            buffer_append_char(text, ':');
        }
        if (verdict == KEEP)
            buffer_append(text, inner);
        else
            append_value(inner, levels - 1, text);
    }
    buffer_append_char(text, bracket == '{' ? '}' : ']');
}

void passive_append(struct bytes object, struct buffer *text)
{
    struct bytes rest = object;

    while (rest.size > 0 && *(const char *)rest.data != '{')
        rest = (struct bytes){(const char *)rest.data + 1, rest.size - 1};
    append_value(rest, LEVELS_MAX, text);
}
