/*
 * history - what was executed, and what came out of it, in this session and in earlier ones
 *
 * One SQLite file that all kernels of a user share; our own, not IPython's, though sessions and
 * lines mean the same. Only what history_request asks for: no display data, no streams, no source
 * after a transformation (`raw` makes no difference here).
 *
 * Written behind. history_add() touches memory only; history_flush() moves everything to the file
 * in one transaction. A file that is full, locked, read-only or broken never fails a cell: entries
 * stay in memory, can be asked for all the same, and later flushes try again.
 *
 * One thread uses it. Nothing is opened before the first entry or question.
 */
#pragma once

#include "guard/link/bytes.h"
#include "guard/link/cleanup.h"

#include <stdint.h>

struct history;

enum {
    HISTORY_OUTPUT_MAX_BYTES = 1024 * 1024, /* longer outputs are cut, and say so */
    HISTORY_QUERY_MAX_MS = 300, /* the loop waits no longer; the newest are found first */
};

struct history_entry {
    int64_t session;
    int64_t line;
    struct bytes input;
    struct bytes output; /* data is NULL where the cell had no result */
};

/* Called once per entry; the entry is borrowed until it returns. */
typedef void history_row(void *context, const struct history_entry *entry);

/* Where entries go by default, below $XDG_DATA_HOME; NULL when there is no home folder. */
char *history_default_path(void);

/* path: NULL or ":memory:" keeps nothing beyond the process. Opens nothing yet. */
struct history *history_new(const char *path);
/* Borrowed; NULL: there is no file. */
const char *history_path(const struct history *history);
/* Flushes first. Takes NULL. */
void history_free(struct history *history);

/*
 * history_add() - remember a cell
 *
 * line    the execution count. Adding the same line again replaces it, so that a cell can be noted
 *         when it starts and completed with its output when it ends.
 * output  BYTES_NONE, or the text/plain of its result
 */
void history_add(struct history *history, int64_t line, struct bytes input, struct bytes output);

/* Whether a flush has something to write. */
bool history_is_pending(const struct history *history);

/*
 * history_flush() - write what is pending in one transaction
 *
 * For the loop's timer. Waits 20 ms at most for another kernel's lock; after a failure the next
 * calls are skipped, up to 64 of them, so that a dead disk costs nothing.
 */
void history_flush(struct history *history);

/*
 * history_end_session() - execution counts begin anew: what is added from now on is of another session
 *
 * Nothing changes while the file cannot be written, and without one: there the lines of before are replaced.
 */
void history_end_session(struct history *history);

/*
 * history_take_warning() - why entries are kept in memory only
 *
 * Returns a new string once per outage, otherwise NULL: for the log.
 */
char *history_take_warning(struct history *history);

/*
 * The three questions of history_request ("History" in messaging 5.6). Each calls `row` from the
 * oldest entry to the newest.
 */

/* The last `n` entries: those of this session, then those of earlier ones. */
void history_tail(struct history *history, int64_t n, history_row *row, void *context);

/*
 * history_range() - lines [start, stop) of one session
 *
 * session      0 is this one, -1 the one before it
 * start, stop  negative: counted from behind the last line; stop 0 (or none): to the end
 */
void history_range(struct history *history, int64_t session, int64_t start, int64_t stop,
                   history_row *row, void *context);

struct history_search {
    struct bytes pattern; /* a glob over the whole input; none matches everything */
    int64_t n;            /* the newest n; negative: all */
    bool unique;          /* of equal inputs the newest only */
};

void history_search(struct history *history, const struct history_search *search, history_row *row,
                    void *context);
