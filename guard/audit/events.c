#include "guard/audit/events.h"

#include "guard/audit/caller.h"
#include "guard/audit/ctypes_guard.h"

#include <stdint.h>
#include <string.h>

static const struct event_row rows[] = {
#define EVENT(event, decides, where, text)                                                         \
    {.name = event, .check = decides, .arguments = where, .words = text},
#define EVENT_THEN(event, decides, where, text, follows)                                           \
    {.name = event, .check = decides, .arguments = where, .words = text, .on_allowed = follows},
#define EVENTS(prefix, decides, where, text)                                                       \
    {.name = prefix, .is_prefix = true, .check = decides, .arguments = where, .words = text},
#include "guard/audit/events.def"
#undef EVENT
#undef EVENT_THEN
#undef EVENTS
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Open addressing, at most a third full: nearly every name is found at its first place. */
#define INDEX_SIZE 512
_Static_assert(ROW_COUNT * 3 < INDEX_SIZE, "the index of the events is too full");

static const struct event_row *index_of_rows[INDEX_SIZE];

/* FNV-1a: names are 5 to 30 bytes long. */
static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u;

    while (*name != '\0')
        hash = (hash ^ (unsigned char)*name++) * 16777619u;
    return hash;
}

void events_init(void)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        uint32_t at = hash_name(rows[i].name) % INDEX_SIZE;

        if (rows[i].is_prefix)
            continue;
        while (index_of_rows[at] != NULL && index_of_rows[at] != &rows[i])
            at = (at + 1) % INDEX_SIZE;
        index_of_rows[at] = &rows[i];
    }
}

static const struct event_row *find_prefix(const char *event)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].is_prefix && strncmp(rows[i].name, event, strlen(rows[i].name)) == 0)
            return &rows[i];
    return NULL;
}

const struct event_row *events_find(const char *event)
{
    uint32_t at = hash_name(event) % INDEX_SIZE;

    for (; index_of_rows[at] != NULL; at = (at + 1) % INDEX_SIZE)
        if (strcmp(index_of_rows[at]->name, event) == 0)
            return index_of_rows[at];
    return find_prefix(event);
}

const struct event_row *events_all(size_t *ret_count)
{
    *ret_count = ROW_COUNT;
    return rows;
}
