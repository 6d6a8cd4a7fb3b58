#include "tests/support/cmocka_tests.h"

#include "guard/link/buffer.h"
#include "kernel/records/history.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct folder {
    char path[64];
    char file[128];
};

static int make_folder(void **state)
{
    struct folder *folder = xcalloc(1, sizeof(*folder));

    strcpy(folder->path, "/tmp/test_history.XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof(folder->file), "%s/sub/history.sqlite", folder->path);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"sub/history.sqlite", "sub/history.sqlite-wal",
                                        "sub/history.sqlite-shm", "sub", ""};
    struct folder *folder = *state;
    char path[256];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder->path, names[i]);
        remove(path);
    }
    free(folder);
    return 0;
}

static void add(struct history *history, int64_t line, const char *input, const char *output)
{
    history_add(history, line, bytes_of_string(input), bytes_of_string(output));
}

/* "session/line input=output; " for each entry */
static void write_entry(void *context, const struct history_entry *entry)
{
    struct buffer *text = context;

    buffer_append_format(text, "%d/%d ", (int)entry->session, (int)entry->line);
    buffer_append(text, entry->input);
    if (entry->output.data != NULL) {
        buffer_append_char(text, '=');
        buffer_append(text, entry->output);
    }
    buffer_append_string(text, "; ");
}

static void check(struct buffer *text, const char *expected)
{
    cleanup_free char *got = buffer_steal_string(text);

    assert_string_equal(got != NULL ? got : "", expected);
}

static void check_tail(struct history *history, int64_t n, const char *expected)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    history_tail(history, n, write_entry, &text);
    check(&text, expected);
}

static void check_range(struct history *history, int64_t session, int64_t start, int64_t stop,
                        const char *expected)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    history_range(history, session, start, stop, write_entry, &text);
    check(&text, expected);
}

static void check_search(struct history *history, const char *pattern, int64_t n, bool unique,
                         const char *expected)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct history_search search = {bytes_of_string(pattern), n, unique};

    history_search(history, &search, write_entry, &text);
    check(&text, expected);
}

static void no_warning(struct history *history)
{
    cleanup_free char *warning = history_take_warning(history);

    assert_null(warning);
}

static void a_warning(struct history *history, const char *part)
{
    cleanup_free char *warning = history_take_warning(history);

    assert_non_null(warning);
    assert_non_null(strstr(warning, part));
    no_warning(history);
}

static void memory_answers_without_a_file(void **state)
{
    struct history *history = history_new(":memory:");

    (void)state;
    check_tail(history, 5, "");
    add(history, 1, "a = 1", NULL);
    add(history, 2, "a", "1");
    assert_true(history_is_pending(history));
    history_flush(history);
    assert_false(history_is_pending(history));
    add(history, 3, "''", "");
    check_tail(history, 2, "1/2 a=1; 1/3 ''=; ");
    check_range(history, 0, 1, 0, "1/1 a = 1; 1/2 a=1; 1/3 ''=; ");
    no_warning(history);
    history_free(history);
}

static void three_sessions(const char *file)
{
    for (int session = 1; session <= 3; session++) {
        struct history *history = history_new(file);

        for (int line = 1; line <= 3; line++) {
            cleanup_free char *input = xasprintf("s%d + %d", session, line);

            add(history, line, input, line == 2 ? "two" : NULL);
        }
        add(history, 4, "same", NULL);
        history_free(history);
    }
}

static void sessions_follow_each_other(void **state)
{
    struct folder *folder = *state;
    struct history *history;

    three_sessions(folder->file);
    history = history_new(folder->file);
    check_tail(history, 2, "3/3 s3 + 3; 3/4 same; "); /* also before we have a session */
    check_range(history, -1, 1, 3, "3/1 s3 + 1; 3/2 s3 + 2=two; ");
    add(history, 1, "now", NULL);
    check_tail(history, 3, "3/3 s3 + 3; 3/4 same; 4/1 now; ");
    check_range(history, 0, 1, 0, "4/1 now; ");
    check_range(history, -2, 3, 0, "2/3 s2 + 3; 2/4 same; ");
    check_range(history, 1, 2, 3, "1/2 s1 + 2=two; ");
    check_range(history, 1, -2, 0, "1/3 s1 + 3; 1/4 same; ");
    check_range(history, 1, 1, -2, "1/1 s1 + 1; 1/2 s1 + 2=two; ");
    check_range(history, 1, 1, -9, "");
    check_range(history, 99, 1, 0, "");
    check_range(history, -99, 1, 0, "");
    no_warning(history);
    history_free(history);
}

static void search_finds_the_newest(void **state)
{
    struct folder *folder = *state;
    struct history *history;

    three_sessions(folder->file);
    history = history_new(folder->file);
    check_search(history, "*+ 2", -1, false, "1/2 s1 + 2=two; 2/2 s2 + 2=two; 3/2 s3 + 2=two; ");
    check_search(history, "s? + 3", 2, false, "2/3 s2 + 3; 3/3 s3 + 3; ");
    check_search(history, "sam[de]", -1, true, "3/4 same; ");
    check_search(history, NULL, 3, true, "3/2 s3 + 2=two; 3/3 s3 + 3; 3/4 same; ");
    check_search(history, "*", 0, false, "");
    check_search(history, "nothing*", -1, true, "");
    history_free(history);
}

static void unique_holds_for_many(void **state)
{
    struct history *history = history_new(NULL);
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct history_search search = {BYTES_NONE, -1, true};
    size_t count = 0;

    (void)state;
    for (int line = 1; line <= 2000; line++) {
        cleanup_free char *input = xasprintf("x%d;", line % 500);

        add(history, line, input, NULL);
    }
    history_search(history, &search, write_entry, &text);
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == 'x';
    assert_int_equal(count, 500);
    history_free(history);
}

static void a_line_added_again_is_replaced(void **state)
{
    struct folder *folder = *state;
    struct history *history = history_new(folder->file);

    add(history, 1, "f()", NULL);
    history_flush(history);
    add(history, 1, "f()", "42");
    check_tail(history, 5, "1/1 f()=42; ");
    history_free(history);
}

static void file_is_ours_alone(void **state)
{
    struct folder *folder = *state;
    struct history *history = history_new(folder->file);
    struct stat about;

    add(history, 1, "secret", NULL);
    assert_int_equal(stat(folder->file, &about), -1); /* nothing before the first flush */
    history_flush(history);
    assert_int_equal(stat(folder->file, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    history_free(history);
}

/* As a kernel next door that writes for too long. */
static void locked_file_costs_nothing(void **state)
{
    struct folder *folder = *state;
    struct history *history = history_new(folder->file);
    sqlite3 *other = NULL;

    add(history, 1, "one", NULL);
    history_flush(history);
    assert_int_equal(sqlite3_open(folder->file, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    add(history, 1, "one", "changed");
    add(history, 2, "two", NULL);
    history_flush(history);
    assert_true(history_is_pending(history));
    a_warning(history, "locked");
    check_tail(history, 5, "1/1 one=changed; 1/2 two; ");
    for (int i = 0; i < 10; i++)
        history_flush(history);
    no_warning(history); /* the same outage */
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    for (int i = 0; i < 10; i++)
        history_flush(history);
    assert_false(history_is_pending(history));
    check_tail(history, 5, "1/1 one=changed; 1/2 two; ");
    history_free(history);
}

static void broken_file_is_left_alone(void **state)
{
    struct folder *folder = *state;
    cleanup_free char *sub = xasprintf("%s/sub", folder->path);
    cleanup_file FILE *file = NULL;
    struct history *history;
    char text[64] = "";

    mkdir(sub, 0700);
    file = fopen(folder->file, "w+");
    assert_non_null(file);
    fputs("this is no database, but it is somebody's text\n", file);
    fflush(file);
    history = history_new(folder->file);
    add(history, 1, "one", NULL);
    history_flush(history);
    a_warning(history, "not a database");
    check_tail(history, 5, "1/1 one; ");
    history_free(history);
    rewind(file);
    assert_non_null(fgets(text, sizeof(text), file));
    assert_string_equal(text, "this is no database, but it is somebody's text\n");
}

static void newer_tables_are_left_alone(void **state)
{
    struct folder *folder = *state;
    cleanup_free char *sub = xasprintf("%s/sub", folder->path);
    struct history *history;
    sqlite3 *newer = NULL;

    mkdir(sub, 0700);
    assert_int_equal(sqlite3_open(folder->file, &newer), SQLITE_OK);
    sqlite3_exec(newer, "PRAGMA user_version = 7", NULL, NULL, NULL);
    sqlite3_close(newer);
    history = history_new(folder->file);
    add(history, 1, "one", NULL);
    history_flush(history);
    a_warning(history, "newer version");
    check_tail(history, 5, "1/1 one; ");
    history_free(history);
}

/* Whoever could write there would have his program run by the next kernel, which no guard is around. */
static void programs_in_the_file_are_not_run(void **state)
{
    static const char *const programs[] = {
        "CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM sessions; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON entries (hex(input))",
        "ALTER TABLE entries ADD COLUMN more TEXT AS (hex(input))",
    };
    const struct folder *folder = *state;

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        struct history *history = history_new(folder->file);
        sqlite3 *other;

        add(history, 1, "a", NULL);
        history_free(history);
        assert_int_equal(sqlite3_open(folder->file, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, programs[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(other);
        history = history_new(folder->file);
        add(history, 1, "b", NULL);
        history_flush(history);
        a_warning(history, "holds more than a history");
        check_tail(history, 2, "1/1 b; ");
        history_free(history);
        assert_int_equal(remove(folder->file), 0);
    }
}

static void impossible_place_is_memory(void **state)
{
    struct history *history = history_new("/dev/null/history.sqlite");

    (void)state;
    add(history, 1, "one", NULL);
    history_flush(history);
    a_warning(history, "/dev/null");
    check_tail(history, 5, "1/1 one; ");
    history_free(history);
}

/* A write that the system refuses midway, as on a full disk. */
static void full_disk_keeps_entries(void **state)
{
    struct folder *folder = *state;
    struct history *history = history_new(folder->file);
    cleanup_free char *large = xcalloc(1, 300001);
    struct rlimit usual;
    struct rlimit full;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    full = (struct rlimit){100000, usual.rlim_max};
    add(history, 1, "one", NULL);
    history_flush(history);
    history_free(history);
    history = history_new(folder->file);
    memset(large, 'x', 300000);
    add(history, 1, large, NULL);
    add(history, 2, "two", NULL);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    history_flush(history);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    a_warning(history, "disk");
    check_search(history, "[ot]*", -1, false, "1/1 one; 2/2 two; ");
    history_free(history);
}

static void long_output_is_cut_at_a_character(void **state)
{
    struct history *history = history_new(NULL);
    cleanup_buffer struct buffer output = BUFFER_NONE;
    cleanup_buffer struct buffer text = BUFFER_NONE;

    (void)state;
    buffer_append_char(&output, 'x');
    while (output.size < (size_t)HISTORY_OUTPUT_MAX_BYTES + 1000)
        buffer_append_string(&output, "é");
    history_add(history, 1, BYTES_LITERAL("long"), buffer_bytes(&output));
    history_tail(history, 1, write_entry, &text);
    buffer_append_char(&text, '\0');
    assert_true(text.size < (size_t)HISTORY_OUTPUT_MAX_BYTES + 100);
    assert_non_null(strstr(text.data, "é\n… 1002 bytes more; "));
    history_free(history);
}

static void bytes_come_back_as_they_were(void **state)
{
    static const char odd[] = "a\0b\xff'\"\n";
    struct history *history = history_new(NULL);
    cleanup_buffer struct buffer text = BUFFER_NONE;

    (void)state;
    history_add(history, 1, BYTES_LITERAL(odd), BYTES_LITERAL(odd));
    history_tail(history, 1, write_entry, &text);
    assert_int_equal(text.size, 4 + 7 + 1 + 7 + 2);
    assert_memory_equal(text.data + 4, odd, 7);
    assert_memory_equal(text.data + 12, odd, 7);
    history_free(history);
}

static void default_path_is_in_the_data_folder(void **state)
{
    cleanup_free char *path = NULL;

    (void)state;
    setenv("XDG_DATA_HOME", "/data", 1);
    path = history_default_path();
    assert_string_equal(path, "/data/safepyrun/history.sqlite");
    free(steal(path));
    unsetenv("XDG_DATA_HOME");
    setenv("HOME", "/home/u", 1);
    path = history_default_path();
    assert_string_equal(path, "/home/u/.local/share/safepyrun/history.sqlite");
    unsetenv("HOME");
    assert_null(history_default_path());
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

RUN(cmocka_unit_test(memory_answers_without_a_file), IN_FOLDER(sessions_follow_each_other),
    IN_FOLDER(search_finds_the_newest), cmocka_unit_test(unique_holds_for_many),
    IN_FOLDER(a_line_added_again_is_replaced), IN_FOLDER(file_is_ours_alone),
    IN_FOLDER(locked_file_costs_nothing), IN_FOLDER(broken_file_is_left_alone),
    IN_FOLDER(newer_tables_are_left_alone), IN_FOLDER(programs_in_the_file_are_not_run),
    cmocka_unit_test(impossible_place_is_memory),
    IN_FOLDER(full_disk_keeps_entries), cmocka_unit_test(long_output_is_cut_at_a_character),
    cmocka_unit_test(bytes_come_back_as_they_were),
    cmocka_unit_test(default_path_is_in_the_data_folder))
