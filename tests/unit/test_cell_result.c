/* What a tool call answers has a bound; what did not fit is told, and an error always is. */
#include "kernel/mcp/cell_result.h"
#include "tests/support/cmocka_tests.h"

#include <string.h>

static void take(struct cell_result *result, const char *msg_type, const char *before, const char *text,
                 const char *after)
{
    cleanup_free char *content = xasprintf("%s%s%s", before, text, after);
    struct message message = {.msg_type = (char *)msg_type, .content = bytes_of_string(content)};

    cell_result_take(result, &message);
}

static char *text_of(size_t size)
{
    char *text = xcalloc(1, size + 1);

    memset(text, 'x', size);
    return text;
}

static void a_cell_that_prints_for_ever_has_an_end(void **state)
{
    struct message reply = {.content = BYTES_LITERAL("{\"status\":\"error\"}"), .metadata = BYTES_LITERAL("{}")};
    cleanup_free char *text = text_of(1024 * 1024);
    struct cell_result result;
    json_t *composed;
    cleanup_free char *all = NULL;

    (void)state;
    cell_result_init(&result);
    for (int i = 0; i < 20; i++)
        take(&result, "stream", "{\"name\":\"stdout\",\"text\":\"", text, "\"}");
    take(&result, "display_data", "{\"data\":{\"image/png\":\"", text, "\"}}");
    take(&result, "error", "{\"ename\":\"KeyboardInterrupt\",\"evalue\":\"\",\"traceback\":[\"", "where it stood", "\"]}");
    composed = cell_result_compose(&result, &reply);
    all = json_dumps(composed, 0);
    assert_true(strlen(all) >= 7 * 1024 * 1024 && strlen(all) <= 9 * 1024 * 1024);
    assert_non_null(strstr(all, "bytes are left out: a result holds 8 MB, and 64 KB of what an error says"));
    assert_non_null(strstr(all, "where it stood"));
    json_decref(composed);
    cell_result_finish(&result);
}

static void a_last_value_is_told_twice_or_not_at_all(void **state)
{
    struct message reply = {.content = BYTES_LITERAL("{\"status\":\"ok\"}"), .metadata = BYTES_LITERAL("{}")};

    (void)state;
    for (size_t megabytes = 3; megabytes <= 5; megabytes += 2) {
        cleanup_free char *text = text_of(megabytes * 1024 * 1024);
        cleanup_free char *all = NULL;
        struct cell_result result;
        json_t *composed;

        cell_result_init(&result);
        take(&result, "execute_result", "{\"data\":{\"text/plain\":\"", text, "\"}}");
        take(&result, "display_data", "{\"data\":{\"image/png\":\"", text, "\"}}"); /* for which there is no room beside 6 MB */
        composed = cell_result_compose(&result, &reply);
        all = json_dumps(composed, 0);
        assert_true(strlen(all) <= 8 * 1024 * 1024 + 1024);
        assert_true(result.left_out > megabytes * 1024 * 1024 && result.left_out < (megabytes + 1) * 1024 * 1024);
        json_decref(composed);
        cell_result_finish(&result);
    }
}

static void what_was_cleared_takes_no_room(void **state)
{
    cleanup_free char *picture = text_of(1024 * 1024);
    struct cell_result result;

    (void)state;
    cell_result_init(&result);
    for (int i = 0; i < 20; i++) {
        take(&result, "clear_output", "{", "", "}");
        take(&result, "display_data", "{\"data\":{\"image/png\":\"", picture, "\"}}");
    }
    assert_int_equal(result.left_out, 0);
    assert_int_equal(json_array_size(result.blocks), 1);
    cell_result_finish(&result);
}

/* 64 KB of it are shown, twice; the traceback repeats it and is left out. */
static void an_error_without_an_end_has_one(void **state)
{
    struct message reply = {.content = BYTES_LITERAL("{\"status\":\"error\"}"), .metadata = BYTES_LITERAL("{}")};
    cleanup_free char *text = text_of(1024 * 1024);
    cleanup_free char *traceback = xasprintf("\",\"traceback\":[\"%s\"]}", text);
    struct cell_result result;
    json_t *composed;
    cleanup_free char *all = NULL;

    (void)state;
    cell_result_init(&result);
    for (int i = 0; i < 100; i++)
        take(&result, "error", "{\"ename\":\"E\",\"evalue\":\"", text, traceback);
    composed = cell_result_compose(&result, &reply);
    all = json_dumps(composed, 0);
    assert_true(strlen(all) <= 10 * 1024 * 1024);
    assert_non_null(strstr(all, "E: xxx"));
    assert_non_null(strstr(all, "bytes are left out: a result holds 8 MB, and 64 KB of what an error says"));
    json_decref(composed);
    cell_result_finish(&result);
}

/* Cards stay when the output is cleared, and pictures may hold nothing. */
static void many_small_things_take_room(void **state)
{
    cleanup_free char *card = text_of(1024 * 1024);
    struct cell_result result;

    (void)state;
    cell_result_init(&result);
    for (int i = 0; i < 20; i++) {
        take(&result, "display_data", "{\"data\":{\"application/vnd.safepyrun.refusal+json\":{\"what\":\"", card, "\"}}}");
        take(&result, "clear_output", "{", "", "}");
    }
    assert_true(json_array_size(result.refusals) < 10 && result.left_out > 0);
    cell_result_finish(&result);
    cell_result_init(&result);
    for (int i = 0; i < 200000; i++)
        take(&result, "display_data", "{\"data\":{\"image/png\":\"", "", "\"}}");
    assert_true(json_array_size(result.blocks) < 100000 && result.left_out > 0);
    cell_result_finish(&result);
}

RUN(cmocka_unit_test(a_cell_that_prints_for_ever_has_an_end), cmocka_unit_test(what_was_cleared_takes_no_room),
    cmocka_unit_test(a_last_value_is_told_twice_or_not_at_all),
    cmocka_unit_test(an_error_without_an_end_has_one), cmocka_unit_test(many_small_things_take_room))
