/*
 * history_rows - the entries that a question has found, newest first
 *
 * A query hands its rows over one by one and may be stopped at any of them, so that what was found
 * in time is what is newest. Equal inputs are recognised here and not by the query: SQL can only
 * do that after it has read everything.
 */
#pragma once

#include "kernel/records/history.h"

struct history_rows {
    struct history_entry *entries; /* their text is owned */
    size_t count;
    size_t capacity;
    size_t *slots; /* hash table of entry index + 1; NULL while nothing asked for unique */
    size_t slot_count;
};

#define HISTORY_ROWS_NONE ((struct history_rows){0})

void history_rows_finish(struct history_rows *rows);

/* Copies the entry; with `unique`, unless one with the same input is there. */
void history_rows_add(struct history_rows *rows, const struct history_entry *entry, bool unique);

/* Hands them out from the last added to the first. */
void history_rows_tell(const struct history_rows *rows, history_row *row, void *context);

#define cleanup_history_rows cleanup_with(history_rows_finish)
