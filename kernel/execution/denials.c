#include "kernel/execution/denials.h"

#include "guard/link/utf8.h"
#include "kernel/wire/json_text.h"

enum { SKIPPED_MAX = 1000 * 1000 * 1000 };

/* In the order in which they are written; the schema of a refusal names them all. */
static const char *const members[] = {"event", "rule",   "subject", "what",
                                      "why",   "remedy", "message"};

void denials_finish(struct denials *denials)
{
    buffer_finish(&denials->kept);
    denials->count = 0;
}

static void append_member(struct buffer *object, const char *name, struct bytes text)
{
    cleanup_buffer struct buffer decoded = BUFFER_NONE;
    size_t shown_bytes;

    if (!json_text_member_string(text, name, &decoded))
        return;
    shown_bytes = utf8_cut(buffer_bytes(&decoded), DENIAL_TEXT_BYTES_MAX);
    if (shown_bytes < decoded.size) {
        decoded.size = shown_bytes;
        buffer_append_string(&decoded, "…");
    }
    json_text_append_string_member(object, name, buffer_bytes(&decoded));
}

static long skipped_in(struct bytes text)
{
    struct bytes value;
    long number;

    if (!json_text_member(text, "skipped", &value) || !json_text_integer(value, &number) ||
        number < 1)
        return 0;
    return number < SKIPPED_MAX ? number : SKIPPED_MAX;
}

void denials_add(struct denials *denials, struct bytes text, struct buffer *ret_object)
{
    long skipped = skipped_in(text);

    if (skipped != 0) {
        denials->count += skipped;
        return;
    }
    buffer_append_char(ret_object, '{');
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        append_member(ret_object, members[i], text);
    buffer_append_char(ret_object, '}');
    if (denials->count++ >= DENIALS_KEPT)
        return;
    if (denials->kept.size != 0)
        buffer_append_char(&denials->kept, ',');
    buffer_append(&denials->kept, buffer_bytes(ret_object));
}

void denials_append_members(const struct denials *denials, struct buffer *json)
{
    buffer_append_format(json, "\"denial_count\":%ld,\"denials\":[", denials->count);
    buffer_append(json, buffer_bytes(&denials->kept));
    buffer_append_char(json, ']');
}
