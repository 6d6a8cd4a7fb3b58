#include "tests/support/cmocka_tests.h"

#include "guard/link/buffer.h"
#include "kernel/records/audit_log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A folder of the test's own; the file in it is "state/audit.jsonl", whose folder does not exist
 * yet. */
struct place {
    char folder[64];
    char *path;
    char *old;
};

static int set_up(void **state)
{
    struct place *place = xcalloc(1, sizeof(*place));

    strcpy(place->folder, "/tmp/test-audit-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->path = xasprintf("%s/state/audit.jsonl", place->folder);
    place->old = xasprintf("%s.1", place->path);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    cleanup_free char *folder = xasprintf("%s/state", place->folder);

    unlink(place->path);
    unlink(place->old);
    rmdir(folder);
    rmdir(place->folder);
    free(place->path);
    free(place->old);
    free(place);
    return 0;
}

static char *read_file(const char *path)
{
    struct buffer text = BUFFER_NONE;
    FILE *file = fopen(path, "re");
    size_t size = 1;

    while (file != NULL && size != 0) {
        size = fread(buffer_reserve(&text, 65536), 1, 65536, file);
        buffer_commit(&text, size);
    }
    if (file != NULL)
        fclose(file);
    buffer_append_string(&text, "");
    return buffer_steal_string(&text);
}

static size_t count_lines(const char *path)
{
    cleanup_free char *text = read_file(path);
    size_t count = 0;

    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

static void write_cell(struct audit_log *log, int count)
{
    audit_log_cell(log, &(struct audit_cell){.execution_count = count,
                                             .source = BYTES_LITERAL("abc"),
                                             .status = "ok",
                                             .wall_ms = 1.5,
                                             .denial_count = 2});
}

static void start(struct audit_log *log)
{
    audit_log_start_session(log, &(struct audit_session){.id = "one",
                                                         .guard_pid = 7,
                                                         .python = "3.11.2",
                                                         .preset = "workspace",
                                                         .policy_file = "a\"b\n.toml",
                                                         .os_ring = "{\"state\":\"active\"}"});
}

static void a_session_has_its_lines(void **state)
{
    struct place *place = *state;
    struct audit_log *log = audit_log_new(place->path, AUDIT_LOG_BYTES_MAX);
    cleanup_free char *text = NULL;
    struct stat status;

    start(log);
    write_cell(log, 3);
    audit_log_denial(log, 3, BYTES_LITERAL("{\"event\":\"open\"}"));
    audit_log_tool(log, 0, BYTES_LITERAL(" { } "));
    audit_log_end_session(log, "shutdown");
    audit_log_end_session(log, "again");
    audit_log_free(log);
    text = read_file(place->path);
    assert_int_equal(count_lines(place->path), 5);
    assert_non_null(strstr(text, "\"type\":\"session_start\""));
    assert_non_null(strstr(text, "\"preset\":\"workspace\",\"policy_file\":\"a\\\"b\\n.toml\",\"os_ring\":{\"state\":\"active\"}}\n"));
    /* SHA-256 of "abc", FIPS 180-2 */
    assert_non_null(strstr(text,
                           "\"execution_count\":3,\"sha256\":\"ba7816bf8f01cfea414140de5dae2223"
                           "b00361a396177a9cb410ff61f20015ad\",\"status\":\"ok\",\"silent\":false,"
                           "\"wall_ms\":1.500,\"cpu_ms\":0.000,\"denial_count\":2}\n"));
    assert_non_null(strstr(text, "\"type\":\"denial\""));
    assert_non_null(
        strstr(text, "\"session\":\"one\",\"execution_count\":3,\"event\":\"open\"}\n"));
    assert_non_null(
        strstr(text, "\"session\":\"one\",\"execution_count\":0}\n"));
    assert_non_null(strstr(text, "\"reason\":\"shutdown\"}\n"));
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_session_that_never_began_has_no_end(void **state)
{
    struct place *place = *state;
    struct audit_log *log = audit_log_new(place->path, AUDIT_LOG_BYTES_MAX);

    audit_log_end_session(log, "shutdown");
    audit_log_free(log);
    assert_int_equal(count_lines(place->path), 0);
}

static void a_full_file_becomes_the_old_one(void **state)
{
    struct place *place = *state;
    struct audit_log *log = audit_log_new(place->path, 1000);
    struct audit_log *other = audit_log_new(place->path, 1000);

    for (int i = 0; i < 20; i++) {
        write_cell(log, i);
        write_cell(other, i); /* another kernel, the same file */
    }
    assert_int_equal(count_lines(place->old), 4); /* the line that crosses the limit is the last */
    assert_true(count_lines(place->path) >= 1 && count_lines(place->path) <= 4);
    assert_null(audit_log_take_warning(log));
    audit_log_free(log);
    audit_log_free(other);
}

static void a_file_that_was_removed_is_made_again(void **state)
{
    struct place *place = *state;
    struct audit_log *log = audit_log_new(place->path, AUDIT_LOG_BYTES_MAX);

    write_cell(log, 1);
    unlink(place->path);
    write_cell(log, 2);
    assert_int_equal(count_lines(place->path), 1);
    audit_log_free(log);
}

static void a_full_disk_is_told_once(void **state)
{
    struct audit_log *log = audit_log_new("/dev/full", AUDIT_LOG_BYTES_MAX);
    cleanup_free char *warning = NULL;

    (void)state;
    assert_int_equal(audit_log_open(log), 0);
    write_cell(log, 1);
    warning = audit_log_take_warning(log);
    assert_non_null(warning);
    assert_non_null(strstr(warning, "No space left"));
    write_cell(log, 2);
    assert_null(audit_log_take_warning(log));
    audit_log_free(log);
}

static void a_pipe_without_a_reader_stops_nobody(void **state)
{
    struct place *place = *state;
    cleanup_free char *path = xasprintf("%s/pipe", place->folder);
    struct audit_log *log = audit_log_new(path, AUDIT_LOG_BYTES_MAX);

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(audit_log_open(log), -ENXIO);
    write_cell(log, 1);
    audit_log_free(log);
    unlink(path);
}

static void without_a_path_nothing_is_kept(void **state)
{
    struct audit_log *log = audit_log_new(NULL, AUDIT_LOG_BYTES_MAX);

    (void)state;
    assert_int_equal(audit_log_open(log), 0);
    start(log);
    write_cell(log, 1);
    audit_log_denial(log, 1, BYTES_LITERAL("{}"));
    audit_log_end_session(log, "shutdown");
    assert_null(audit_log_take_warning(log));
    audit_log_free(log);
    audit_log_free(NULL);
}

static void the_usual_place_follows_xdg(void **state)
{
    char *path;

    (void)state;
    setenv("HOME", "/home/x", 1);
    setenv("XDG_STATE_HOME", "/state", 1);
    path = audit_log_default_path();
    assert_string_equal(path, "/state/safepyrun/audit.jsonl");
    free(path);
    setenv("XDG_STATE_HOME", "relative", 1); /* the specification: to be ignored */
    path = audit_log_default_path();
    assert_string_equal(path, "/home/x/.local/state/safepyrun/audit.jsonl");
    free(path);
    unsetenv("HOME");
    assert_null(audit_log_default_path());
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

RUN(IN_PLACE(a_session_has_its_lines), IN_PLACE(a_session_that_never_began_has_no_end),
    IN_PLACE(a_full_file_becomes_the_old_one), IN_PLACE(a_file_that_was_removed_is_made_again),
    cmocka_unit_test(a_full_disk_is_told_once), IN_PLACE(a_pipe_without_a_reader_stops_nobody),
    cmocka_unit_test(without_a_path_nothing_is_kept), cmocka_unit_test(the_usual_place_follows_xdg))
