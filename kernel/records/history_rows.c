#include "kernel/records/history_rows.h"

#include "guard/link/buffer.h"

static struct bytes copy(struct bytes text)
{
    char *data;

    if (text.data == NULL)
        return BYTES_NONE;
    data = xmalloc(text.size + 1); /* never of size 0: an empty output is not a missing one */
    memcpy(data, text.data, text.size);
    return (struct bytes){data, text.size};
}

/* FNV-1a: short, and good enough for what a person typed. */
static size_t hash(struct bytes text)
{
    const unsigned char *data = text.data;
    uint64_t value = 14695981039346656037u;

    for (size_t i = 0; i < text.size; i++)
        value = (value ^ data[i]) * 1099511628211u;
    return (size_t)value;
}

/* The slot that holds this input or where it belongs. */
static size_t *find_slot(const struct history_rows *rows, struct bytes input)
{
    size_t at = hash(input) & (rows->slot_count - 1);

    while (rows->slots[at] != 0 && !bytes_equal(rows->entries[rows->slots[at] - 1].input, input))
        at = (at + 1) & (rows->slot_count - 1);
    return &rows->slots[at];
}

/* At most half full, so that searches stay short. */
static void grow_slots(struct history_rows *rows)
{
    if (rows->count * 2 < rows->slot_count)
        return;
    free(rows->slots);
    rows->slot_count = rows->slot_count == 0 ? 64 : rows->slot_count * 2;
    rows->slots = xcalloc(rows->slot_count, sizeof(*rows->slots));
    for (size_t i = 0; i < rows->count; i++)
        *find_slot(rows, rows->entries[i].input) = i + 1;
}

static void append(struct history_rows *rows, const struct history_entry *entry)
{
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity == 0 ? 64 : rows->capacity * 2;
        rows->entries = xrealloc(rows->entries, rows->capacity * sizeof(*rows->entries));
    }
    rows->entries[rows->count++] = (struct history_entry){
        .session = entry->session,
        .line = entry->line,
        .input = copy(entry->input),
        .output = copy(entry->output),
    };
}

void history_rows_add(struct history_rows *rows, const struct history_entry *entry, bool unique)
{
    size_t *slot;

    if (!unique) {
        append(rows, entry);
        return;
    }
    grow_slots(rows);
    slot = find_slot(rows, entry->input);
    if (*slot != 0)
        return;
    append(rows, entry);
    *slot = rows->count;
}

void history_rows_tell(const struct history_rows *rows, history_row *row, void *context)
{
    for (size_t i = rows->count; i > 0; i--)
        row(context, &rows->entries[i - 1]);
}

void history_rows_finish(struct history_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free((void *)rows->entries[i].input.data);
        free((void *)rows->entries[i].output.data);
    }
    free(rows->entries);
    free(rows->slots);
    *rows = HISTORY_ROWS_NONE;
}
