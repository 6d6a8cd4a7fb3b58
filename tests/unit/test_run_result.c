/* An answer of `safepyrun run --json` is one line, whatever a guard has written. */
#include "tests/support/cmocka_tests.h"

#include "kernel/commands/run_session.h"

#include <string.h>

static void what_a_guard_wrote_begins_no_line(void **state)
{
    struct run_result result = RUN_RESULT_NONE;
    cleanup_buffer struct buffer json = BUFFER_NONE;

    (void)state;
    buffer_append_string(&result.result, "[\n{\"ok\": true}\r\n]");
    buffer_append_string(&result.denials, "{\"a\":\n{\"ok\": true}\n}");
    buffer_append_string(&result.streams[0], "two\nlines");
    run_result_encode(&result, &json);
    assert_null(memchr(json.data, '\n', json.size));
    assert_null(memchr(json.data, '\r', json.size));
    buffer_append_char(&json, '\0');
    assert_non_null(strstr(json.data, "\"result\": [ {\"ok\": true}  ]"));
    assert_non_null(strstr(json.data, "\"two\\nlines\""));
    run_result_finish(&result);
}

RUN(cmocka_unit_test(what_a_guard_wrote_begins_no_line))
