#include "guard/denials.h"
#include "guard/audit/audit.h"
#include "guard/link/frame.h"
#include "guard/python/attribution.h"
#include "guard/python/link_end.h"

enum { PENDING_BYTES_MAX = 1024 * 1024 };

static void append_json_string(struct buffer *buffer, const char *text)
{
    buffer_append_char(buffer, '"');
    for (const char *at = text != NULL ? text : ""; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte == '"' || byte == '\\')
            buffer_append_char(buffer, '\\');
        if (byte < 0x20)
            buffer_append_format(buffer, "\\u%04x", byte);
        else
            buffer_append_char(buffer, *at);
    }
    buffer_append_char(buffer, '"');
}

static void append_field(struct buffer *buffer, char before, const char *name, const char *value)
{
    buffer_append_char(buffer, before);
    append_json_string(buffer, name);
    buffer_append_char(buffer, ':');
    append_json_string(buffer, value);
}

/* The hook cannot wait for the socket: of a flood of refusals only the number is told. */
static bool is_flood(void)
{
    static unsigned long skipped;
    char text[80];
    struct bytes parts[2] = {BYTES_LITERAL("warning"), BYTES_NONE};

    if (link_end_pending() > PENDING_BYTES_MAX) {
        skipped++;
        return true;
    }
    if (skipped == 0)
        return false;
    snprintf(text, sizeof(text), "%lu refusals came too fast to be told one by one", skipped);
    skipped = 0;
    parts[1] = bytes_of_string(text);
    link_end_post(&(struct frame){FRAME_LOG, 0, 2, parts});
    return false;
}

static void post_denial(const struct audit_denial *denial, void *data)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct bytes parts[2] = {BYTES_LITERAL("warning"), BYTES_NONE};
    uint32_t cell = attribution_cell();

    (void)data;
    if (is_flood())
        return;
    if (cell == 0) { /* a library of ours, before the first cell */
        parts[1] = bytes_of_string(denial->message);
        link_end_post(&(struct frame){FRAME_LOG, 0, 2, parts});
        return;
    }
    append_field(&text, '{', "event", denial->event);
    append_field(&text, ',', "rule", denial->rule);
    append_field(&text, ',', "subject", denial->subject);
    append_field(&text, ',', "message", denial->message);
    buffer_append_char(&text, '}');
    parts[0] = buffer_bytes(&text);
    link_end_post(&(struct frame){FRAME_DENIAL, cell, 1, parts});
}

void denials_start(void)
{
    audit_set_denial_callback(post_denial, NULL);
}
