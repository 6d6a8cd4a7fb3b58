/*
 * The connection's own database is in memory and holds the table `fresh`, the entries of this
 * session that are not in the file; the file is attached to it as `disk`. So an entry can be asked
 * for from the moment it is added, a flush is one INSERT … SELECT, and an outage is nothing
 * special: `fresh` simply is not emptied. The alternatives, a list in C beside the file or a second
 * database to fall back on, need every question twice.
 */
#include "kernel/records/history.h"

#include "guard/link/buffer.h"
#include "guard/link/utf8.h"
#include "kernel/records/folders.h"
#include "kernel/records/history_file.h"
#include "kernel/records/history_rows.h"

#include <sqlite3.h>
#include <time.h>

enum { LOCK_WAIT_MS = 20, SKIP_MAX = 64 };

struct history {
    char *path;      /* NULL: memory only */
    sqlite3 *memory; /* NULL until it is needed */
    sqlite3_stmt *insert; /* into `fresh`; kept, for it runs after every cell */
    bool attached;
    bool pending;
    int64_t session;  /* our number in the file; 0 before the first flush */
    unsigned skip;    /* flushes to leave out */
    unsigned backoff; /* how many were left out the last time */
    char *warning;    /* not taken yet */
};

char *history_default_path(void)
{
    return folders_default_path("XDG_DATA_HOME", ".local/share", "history.sqlite");
}

struct history *history_new(const char *path)
{
    struct history *history = xcalloc(1, sizeof(*history));

    if (path != NULL && strcmp(path, ":memory:") != 0)
        history->path = xstrdup(path);
    return history;
}

const char *history_path(const struct history *history)
{
    return history->path;
}

bool history_is_pending(const struct history *history)
{
    return history->pending;
}

char *history_take_warning(struct history *history)
{
    return steal(history->warning);
}

/* Takes `problem`. One warning per outage: `backoff` says that it goes on. */
static void note_outage(struct history *history, char *problem)
{
    if (history->backoff == 0 && history->warning == NULL)
        history->warning = xasprintf("history is kept in memory only: %s: %s",
                                     history->path != NULL ? history->path : "SQLite", problem);
    free(problem);
    history->backoff = history->backoff == 0 ? 1 : history->backoff * 2;
    if (history->backoff > SKIP_MAX)
        history->backoff = SKIP_MAX;
    history->skip = history->backoff;
}

static bool run(struct history *history, const char *sql)
{
    return sqlite3_exec(history->memory, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool open_memory(struct history *history)
{
    if (history->memory != NULL)
        return true;
    if (sqlite3_open(":memory:", &history->memory) == SQLITE_OK &&
        run(history, "CREATE TABLE fresh (line INTEGER PRIMARY KEY, input TEXT, output TEXT)")) {
        sqlite3_busy_timeout(history->memory, LOCK_WAIT_MS);
        return true;
    }
    note_outage(history, xstrdup(sqlite3_errmsg(history->memory)));
    sqlite3_close(history->memory);
    history->memory = NULL;
    return false;
}

static bool attach_file(struct history *history)
{
    char *problem = NULL;

    if (history->attached)
        return true;
    if (history->path == NULL)
        return false;
    if (history_file_attach(history->memory, history->path, &problem) < 0) {
        note_outage(history, problem);
        return false;
    }
    history->attached = true;
    return true;
}

static sqlite3_stmt *prepare(struct history *history, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    sqlite3_prepare_v2(history->memory, sql, -1, &statement, NULL);
    return statement; /* NULL is what every other call takes without harm */
}

static void bind_integer(sqlite3_stmt *statement, const char *name, int64_t value)
{
    sqlite3_bind_int64(statement, sqlite3_bind_parameter_index(statement, name), value);
}

static void bind_text(sqlite3_stmt *statement, const char *name, struct bytes text)
{
    if (text.data != NULL)
        sqlite3_bind_text64(statement, sqlite3_bind_parameter_index(statement, name), text.data,
                            text.size, SQLITE_STATIC, SQLITE_UTF8);
}

/* The output, or what of it is kept, in `cut`. */
static struct bytes cut_output(struct bytes output, struct buffer *cut)
{
    size_t size = utf8_cut(output, HISTORY_OUTPUT_MAX_BYTES);

    if (size == output.size)
        return output;
    buffer_append(cut, (struct bytes){output.data, size});
    buffer_append_format(cut, "\n… %zu bytes more", output.size - size);
    return buffer_bytes(cut);
}

void history_add(struct history *history, int64_t line, struct bytes input, struct bytes output)
{
    cleanup_buffer struct buffer cut = BUFFER_NONE;

    if (!open_memory(history))
        return;
    if (history->insert == NULL)
        history->insert =
            prepare(history, "INSERT OR REPLACE INTO fresh VALUES (:line, :input, :output)");
    bind_integer(history->insert, ":line", line);
    bind_text(history->insert, ":input", input.data != NULL ? input : BYTES_LITERAL(""));
    bind_text(history->insert, ":output", cut_output(output, &cut));
    if (sqlite3_step(history->insert) == SQLITE_DONE)
        history->pending = true;
    else
        note_outage(history, xstrdup(sqlite3_errmsg(history->memory)));
    /* The texts are borrowed; a statement that is not reset would lock the table. */
    sqlite3_reset(history->insert);
    sqlite3_clear_bindings(history->insert);
}

/* One transaction: what fails leaves `fresh` and the file as they were. */
static bool move_to_file(struct history *history, int64_t *session)
{
    sqlite3_stmt *statement;
    int status;

    if (*session == 0) {
        if (!run(history, "INSERT INTO disk.sessions (start) VALUES (unixepoch())"))
            return false;
        *session = sqlite3_last_insert_rowid(history->memory);
    }
    statement = prepare(history, "INSERT OR REPLACE INTO disk.entries"
                                 " SELECT :session, line, input, output FROM fresh");
    bind_integer(statement, ":session", *session);
    status = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return status == SQLITE_DONE && run(history, "DELETE FROM fresh") && run(history, "COMMIT");
}

static void flush_now(struct history *history)
{
    int64_t session = history->session;

    if (!attach_file(history))
        return;
    if (run(history, "BEGIN IMMEDIATE") && move_to_file(history, &session)) {
        history->session = session;
        history->pending = false;
        history->backoff = 0;
        return;
    }
    note_outage(history, xstrdup(sqlite3_errmsg(history->memory)));
    if (sqlite3_get_autocommit(history->memory) == 0)
        run(history, "ROLLBACK");
}

void history_flush(struct history *history)
{
    if (!history->pending)
        return;
    if (history->path == NULL) {
        history->pending = false; /* memory is where it stays */
        return;
    }
    if (history->skip > 0) {
        history->skip--;
        return;
    }
    flush_now(history);
}

void history_end_session(struct history *history)
{
    history_flush(history);
    if (!history->pending && history->path != NULL)
        history->session = 0;
}

void history_free(struct history *history)
{
    if (history == NULL)
        return;
    if (history->pending && history->path != NULL)
        flush_now(history);
    sqlite3_finalize(history->insert);
    sqlite3_close(history->memory);
    free(history->path);
    free(history->warning);
    free(history);
}

/* Questions */

#define FRESH "SELECT :session AS session, line, input, output FROM main.fresh"
#define STORED "SELECT session, line, input, output FROM disk.entries"

/* Where the entries are. The plain table when it has them all: SQLite then walks its key. */
static const char *entries_sql(const struct history *history)
{
    if (!history->attached)
        return "WITH known AS NOT MATERIALIZED (" FRESH ") ";
    if (!history->pending)
        return "WITH known AS NOT MATERIALIZED (" STORED ") ";
    return "WITH known AS NOT MATERIALIZED (" STORED
           " WHERE session <> :session OR line NOT IN (SELECT line FROM main.fresh)"
           " UNION ALL " FRESH ") ";
}

/* The first column of the first row; 0 where there is none. */
static int64_t ask_number(struct history *history, const char *sql, int64_t session, int64_t target)
{
    cleanup_free char *text = xasprintf("%s%s", entries_sql(history), sql);
    sqlite3_stmt *statement = prepare(history, text);
    int64_t number = 0;

    bind_integer(statement, ":session", session);
    bind_integer(statement, ":target", target);
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* Our number, or the one that we would get: a kernel that ran nothing has no row in the file. */
static int64_t current_session(struct history *history)
{
    if (history->session != 0)
        return history->session;
    if (!history->attached)
        return 1;
    return ask_number(history, "SELECT max(session) FROM disk.sessions", 0, 0) + 1;
}

/* False when there is nothing that could be asked. */
static bool begin_question(struct history *history)
{
    if (!open_memory(history))
        return false;
    if (history->pending)
        history_flush(history);
    if (history->path != NULL && !history->attached && history->skip == 0)
        attach_file(history);
    return true;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int is_too_late(void *deadline_ms)
{
    return now_ms() > *(uint64_t *)deadline_ms;
}

static struct bytes column(sqlite3_stmt *statement, int index)
{
    const void *text = sqlite3_column_text(statement, index);

    return (struct bytes){text, (size_t)sqlite3_column_bytes(statement, index)};
}

struct question {
    const char *sql; /* newest first */
    int64_t session, target, start, stop, n;
    struct bytes pattern;
    bool unique;
};

static void ask(struct history *history, const struct question *question, history_row *row,
                void *context)
{
    cleanup_history_rows struct history_rows rows = HISTORY_ROWS_NONE;
    cleanup_free char *sql = xasprintf("%s%s", entries_sql(history), question->sql);
    uint64_t deadline_ms = now_ms() + HISTORY_QUERY_MAX_MS;
    sqlite3_stmt *statement = prepare(history, sql);

    bind_integer(statement, ":session", question->session);
    bind_integer(statement, ":target", question->target);
    bind_integer(statement, ":start", question->start);
    bind_integer(statement, ":stop", question->stop);
    bind_integer(statement, ":n", question->n);
    bind_text(statement, ":pattern", question->pattern);
    sqlite3_progress_handler(history->memory, 10000, is_too_late, &deadline_ms);
    while ((question->n < 0 || rows.count < (size_t)question->n) &&
           sqlite3_step(statement) == SQLITE_ROW) {
        struct history_entry entry = {
            .session = sqlite3_column_int64(statement, 0),
            .line = sqlite3_column_int64(statement, 1),
            .input = column(statement, 2),
            .output = column(statement, 3),
        };
        history_rows_add(&rows, &entry, question->unique);
    }
    sqlite3_progress_handler(history->memory, 0, NULL, NULL);
    sqlite3_finalize(statement);
    history_rows_tell(&rows, row, context);
}

/* The newest :n of some sessions. Each walks the key from its end: "session <> :session" would not.
 */
#define NEWEST(rank, condition)                                                                    \
    "SELECT * FROM (SELECT " rank " AS rank, * FROM known WHERE session " condition                \
    " :session ORDER BY session DESC, line DESC LIMIT :n) "

// clang-format off
static const char tail_sql[] =
    "SELECT session, line, input, output FROM ("
    NEWEST("3", "=") "UNION ALL " NEWEST("2", ">") "UNION ALL " NEWEST("1", "<")
    ") ORDER BY rank DESC, session DESC, line DESC";
// clang-format on

void history_tail(struct history *history, int64_t n, history_row *row, void *context)
{
    struct question question = {.sql = tail_sql, .n = n};

    if (!begin_question(history))
        return;
    question.session = current_session(history);
    ask(history, &question, row, context);
}

void history_range(struct history *history, int64_t session, int64_t start, int64_t stop,
                   history_row *row, void *context)
{
    struct question question = {
        .sql = "SELECT * FROM known WHERE session = :target AND line >= :start"
               " AND line < :stop ORDER BY line DESC",
        .n = -1,
    };
    int64_t behind_last = 0;

    if (!begin_question(history))
        return;
    question.session = current_session(history);
    question.target = session > 0 ? session : question.session + session;
    if (start < 0 || stop < 0)
        behind_last = 1 + ask_number(history,
                                     "SELECT line FROM known WHERE session = :target"
                                     " ORDER BY line DESC LIMIT 1",
                                     question.session, question.target);
    question.start = start < 0 ? start + behind_last : start;
    question.stop = stop < 0 ? stop + behind_last : stop;
    if (stop == 0)
        question.stop = INT64_MAX;
    ask(history, &question, row, context);
}

void history_search(struct history *history, const struct history_search *search, history_row *row,
                    void *context)
{
    struct question question = {
        .sql = "SELECT * FROM known WHERE input GLOB :pattern ORDER BY session DESC, line DESC",
        .n = search->n,
        .pattern = search->pattern.data != NULL ? search->pattern : BYTES_LITERAL("*"),
        .unique = search->unique,
    };

    if (!begin_question(history))
        return;
    question.session = current_session(history);
    ask(history, &question, row, context);
}
