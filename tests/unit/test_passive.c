#include "tests/support/cmocka_tests.h"

#include "kernel/wire/passive.h"

static void expect(const char *object, const char *expected)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    passive_append(bytes_of_string(object), &text);
    buffer_append_char(&text, '\0');
    assert_string_equal(text.data, expected);
}

static void what_is_passive_stays_as_it_is(void **state)
{
    (void)state;
    expect("{\"data\": {\"text/plain\": \"a, \\\"b\\\"\", \"image/png\": \"aGk=\"}, \"metadata\": {}}",
           "{\"data\":{\"text/plain\":\"a, \\\"b\\\"\",\"image/png\":\"aGk=\"},\"metadata\":{}}");
    expect("{\"data\":{\"application/json\":{\"text/html\":[1, {}]}}}",
           "{\"data\":{\"application/json\":{\"text/html\":[1, {}]}}}");
    expect(" {\"a\":[ 1,[],\"x\" ,null] , \"\":{ }} ", "{\"a\":[1,[],\"x\",null],\"\":{}}");
}

static void what_runs_or_fetches_is_left_out(void **state)
{
    (void)state;
    expect("{\"data\":{\"text/html\":\"<script>\",\"text/plain\":\"x\",\"image/svg+xml\":\"<svg>\"}}",
           "{\"data\":{\"text/plain\":\"x\"}}");
    expect("{\"data\":{\"text\\/html\":\"\",\"application/\\u006aavascript\":\"\",\"text/markdown\":\"\"}}", "{\"data\":{}}");
    expect("{\"data\":{\"text/plain\":\"x\"},\"data\":{\"text/html\":\"\"}}", "{\"data\":{\"text/plain\":\"x\"},\"data\":{}}");
    expect("{\"payload\":[{\"data\":{\"text/html\":\"\"}}],\"user_expressions\":{\"a\":{\"data\":{\"Text/Plain\":\"\"}}}}",
           "{\"payload\":[{\"data\":{}}],\"user_expressions\":{\"a\":{\"data\":{}}}}");
}

RUN(cmocka_unit_test(what_is_passive_stays_as_it_is), cmocka_unit_test(what_runs_or_fetches_is_left_out))
