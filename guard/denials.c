#include "guard/denials.h"

#include "guard/audit/audit.h"
#include "guard/link/frame.h"
#include "guard/link/utf8.h"
#include "guard/python/attribution.h"
#include "guard/python/execute.h"
#include "guard/python/link_end.h"
#include "guard/rules/rules.h"

enum {
    PENDING_BYTES_MAX = 1024 * 1024,
    TEXT_BYTES_MAX = 1024,
};

static struct {
    struct denial_record *kept[DENIALS_KEPT]; /* number n at n % DENIALS_KEPT */
    unsigned long count;
    unsigned long skipped; /* not told to the kernel process yet */
} denials;

/* ---- text ----------------------------------------------------------------------------------- */

/* File names are any bytes, and texts were cut anywhere: what is no UTF-8 becomes U+FFFD. */
static char *clean(const char *text)
{
    cleanup_buffer struct buffer cleaned = BUFFER_NONE;

    buffer_append_string(&cleaned, "");
    for (const char *at = text != NULL ? text : ""; *at != '\0';) {
        int size = utf8_character((struct bytes){at, strnlen(at, 4)});

        if (cleaned.size >= TEXT_BYTES_MAX) {
            buffer_append_string(&cleaned, "…");
            break;
        }
        buffer_append(&cleaned, size > 0 ? (struct bytes){at, (size_t)size} : BYTES_LITERAL("\xef\xbf\xbd"));
        at += size > 0 ? size : 1;
    }
    return buffer_steal_string(&cleaned);
}

static void append_field(struct buffer *buffer, char before, const char *name, const char *value)
{
    buffer_append_char(buffer, before);
    utf8_append_quoted(bytes_of_string(name), buffer);
    buffer_append_char(buffer, ':');
    utf8_append_quoted(bytes_of_string(value), buffer);
}

/* ---- to the kernel process ------------------------------------------------------------------ */

static void post(uint32_t cell, const struct buffer *text)
{
    struct bytes part = buffer_bytes(text);

    link_end_post(&(struct frame){FRAME_DENIAL, cell, 1, &part});
}

/* The hook cannot wait for the socket: of a flood of refusals only the number is told. */
static void tell(const struct denial_record *record)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    if (link_end_pending() > PENDING_BYTES_MAX) {
        denials.skipped++;
        return;
    }
    append_field(&text, '{', "event", record->event);
    append_field(&text, ',', "rule", record->rule);
    append_field(&text, ',', "subject", record->subject);
    append_field(&text, ',', "what", record->what);
    append_field(&text, ',', "why", record->why);
    append_field(&text, ',', "remedy", record->remedy);
    append_field(&text, ',', "message", record->message);
    buffer_append_char(&text, '}');
    post(record->cell, &text);
}

void denials_settle(void)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    if (denials.skipped == 0)
        return;
    buffer_append_format(&text, "{\"skipped\":%lu}", denials.skipped);
    denials.skipped = 0;
    post(attribution_cell(), &text);
}

/* ---- the record ----------------------------------------------------------------------------- */

void denial_record_unref(struct denial_record *record)
{
    if (record == NULL || --record->references != 0)
        return;
    free(record->event);
    free(record->rule);
    free(record->subject);
    free(record->what);
    free(record->why);
    free(record->remedy);
    free(record->message);
    free(record);
}

/* The texts of `said` are borrowed and any bytes. */
static void keep(const struct denial_record *said)
{
    struct denial_record **place = &denials.kept[denials.count++ % DENIALS_KEPT];
    struct denial_record *record = xcalloc(1, sizeof(*record));

    *record = (struct denial_record){
        .references = 1,
        .cell = attribution_cell(),
        .time = time(NULL),
        .event = clean(said->event),
        .rule = clean(said->rule),
        .subject = clean(said->subject),
        .what = clean(said->what),
        .why = clean(said->why),
        .remedy = clean(said->remedy),
        .message = clean(said->message),
    };
    record->execution_count = execute_count(record->cell);
    denial_record_unref(*place);
    *place = record;
    tell(record);
}

static void on_denial(const struct audit_denial *denial, void *data)
{
    (void)data;
    keep(&(struct denial_record){.event = (char *)denial->event,
                                 .rule = (char *)denial->rule,
                                 .subject = (char *)denial->subject,
                                 .what = (char *)denial->words,
                                 .why = (char *)denial->reason,
                                 .remedy = (char *)denial->remedy,
                                 .message = (char *)denial->message});
}

static void on_refusal(const struct rule_refusal *refusal)
{
    keep(&(struct denial_record){.event = (char *)"cell",
                                 .rule = (char *)refusal->rule,
                                 .subject = (char *)refusal->found,
                                 .what = (char *)refusal->words,
                                 .why = (char *)refusal->reason,
                                 .remedy = (char *)refusal->remedy,
                                 .message = (char *)refusal->message});
}

void denials_start(void)
{
    audit_set_denial_callback(on_denial, NULL);
    rules_set_refusal_callback(on_refusal);
}

unsigned long denials_count(void)
{
    return denials.count;
}

unsigned long denials_first(void)
{
    return denials.count > DENIALS_KEPT ? denials.count - DENIALS_KEPT : 0;
}

struct denial_record *denials_get(unsigned long number)
{
    struct denial_record *record;

    if (number < denials_first() || number >= denials.count)
        return NULL;
    record = denials.kept[number % DENIALS_KEPT];
    record->references++;
    return record;
}
