#include "guard/ring/report.h"

#include "guard/link/cleanup.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const part_names[] = {
#define RING_PART(id, name, meaning) [RING_##id] = name,
#include "guard/ring/parts.def"
#undef RING_PART
};

static const char *const state_names[] = {[RING_OFF] = "off",
                                          [RING_ACTIVE] = "active",
                                          [RING_PARTIAL] = "partial",
                                          [RING_MISSING] = "missing"};

const char *ring_part_name(enum ring_part part)
{
    return part_names[part];
}

const char *ring_state_name(enum ring_state state)
{
    return state_names[state];
}

void ring_report_set(struct ring_report *report, enum ring_part part, enum ring_state state,
                     const char *format, ...)
{
    va_list arguments;

    report->parts[part].state = state;
    va_start(arguments, format);
    vsnprintf(report->parts[part].words, sizeof(report->parts[part].words), format, arguments);
    va_end(arguments);
}

/* The mount view is a means: what it holds is told by other parts. */
enum ring_state ring_report_state(const struct ring_report *report)
{
    enum ring_state weakest = RING_OFF;
    bool holds_something = false;

    for (int i = 0; i < RING_PART_COUNT; i++) {
        enum ring_state state = report->parts[i].state;

        if (i == RING_MOUNT_VIEW)
            continue;
        if (state > weakest)
            weakest = state;
        if (state == RING_ACTIVE || state == RING_PARTIAL)
            holds_something = true;
    }
    return weakest == RING_MISSING && holds_something ? RING_PARTIAL : weakest;
}

/* The words are ours: of what JSON escapes there are quotation marks only. */
static void append_words(struct buffer *json, const char *words)
{
    for (; *words != '\0'; words++) {
        if (*words == '"')
            buffer_append_char(json, '\\');
        buffer_append_char(json, *words);
    }
}

void ring_report_encode(const struct ring_report *report, struct buffer *json)
{
    buffer_append_format(json, "{\"state\": \"%s\", \"landlock_abi\": %d, \"parts\": {",
                         ring_state_name(ring_report_state(report)), report->landlock_abi);
    for (int i = 0; i < RING_PART_COUNT; i++) {
        buffer_append_format(json, "%s\"%s\": {\"state\": \"%s\", \"why\": \"", i > 0 ? ", " : "",
                             part_names[i], ring_state_name(report->parts[i].state));
        append_words(json, report->parts[i].words);
        buffer_append_string(json, "\"}");
    }
    buffer_append_string(json, "}}");
}

char *ring_report_gaps(const struct ring_report *report)
{
    cleanup_buffer struct buffer gaps = BUFFER_NONE;

    for (int i = 0; i < RING_PART_COUNT; i++)
        if (report->parts[i].state >= RING_PARTIAL)
            buffer_append_format(&gaps, "%s%s (%s): %s", gaps.size > 0 ? "; " : "", part_names[i],
                                 ring_state_name(report->parts[i].state), report->parts[i].words);
    return buffer_steal_string(&gaps);
}
