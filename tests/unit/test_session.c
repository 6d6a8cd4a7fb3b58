#include "tests/support/cmocka_tests.h"

#include "kernel/wire/json_text.h"
#include "kernel/wire/session.h"

#include <time.h>

/* Not time(): it is a few milliseconds late, also with a new second. */
static time_t second_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* What strftime() makes of now, and the date of ours, of one and the same second. */
static void dates_of_one_second(char date[SESSION_DATE_SIZE], char expected[SESSION_DATE_SIZE])
{
    time_t before;
    time_t after;
    struct tm utc;

    do {
        before = second_now();
        session_date(date);
        after = second_now();
    } while (before != after);
    gmtime_r(&before, &utc);
    strftime(expected, SESSION_DATE_SIZE, "%Y-%m-%dT%H:%M:%S.", &utc);
}

static void a_date_is_iso_8601_in_utc(void **state)
{
    char date[SESSION_DATE_SIZE];
    char expected[SESSION_DATE_SIZE];
    size_t length;

    (void)state;
    dates_of_one_second(date, expected);
    length = strlen(expected);
    assert_int_equal(strlen(date), SESSION_DATE_SIZE - 1);
    assert_memory_equal(date, expected, length);
    assert_int_equal(strspn(date + length, "0123456789"), 6);
    assert_string_equal(date + length + 6, "Z");
}

static void assert_member(struct bytes header, const char *key, const char *expected)
{
    struct bytes value;

    assert_true(json_text_member(header, key, &value));
    assert_true(bytes_equal_string(value, expected));
}

static void a_header_has_what_messages_need(void **state)
{
    struct session session;
    cleanup_buffer struct buffer header = BUFFER_NONE;
    cleanup_free char *quoted_id = NULL;

    (void)state;
    setenv("USER", "a \"b\"", 1);
    session_init(&session);
    session_append_header(&session, "status", &header);
    assert_true(json_text_is_object(buffer_bytes(&header), JSON_TEXT_STRICT));
    quoted_id = xasprintf("\"%s\"", session.id);
    assert_member(buffer_bytes(&header), "session", quoted_id);
    assert_member(buffer_bytes(&header), "msg_type", "\"status\"");
    assert_member(buffer_bytes(&header), "username", "\"a \\\"b\\\"\"");
    assert_member(buffer_bytes(&header), "version", "\"" PROTOCOL_VERSION "\"");
    session_finish(&session);
}

static void message_ids_are_known_before_and_never_repeat(void **state)
{
    struct session session;
    cleanup_buffer struct buffer last = BUFFER_NONE;

    (void)state;
    session_init(&session);
    for (int i = 0; i < 12; i++) {
        cleanup_buffer struct buffer next = BUFFER_NONE;
        cleanup_buffer struct buffer header = BUFFER_NONE;
        cleanup_free char *quoted = NULL;

        session_append_msg_id(&session, &next);
        session_append_header(&session, "status", &header);
        quoted = xasprintf("\"%.*s\"", (int)next.size, next.data);
        assert_member(buffer_bytes(&header), "msg_id", quoted);
        assert_false(bytes_equal(buffer_bytes(&next), buffer_bytes(&last)));
        buffer_clear(&last, 0);
        buffer_append(&last, buffer_bytes(&next));
    }
    session_finish(&session);
}

static void a_uuid_is_spelt_as_usual(void **state)
{
    char uuid[37];

    (void)state;
    for (int i = 0; i < 20; i++) { /* each of them is another */
        session_random_uuid(uuid);
        assert_int_equal(strlen(uuid), 36);
        for (size_t at = 0; at < 36; at++)
            assert_true(at == 8 || at == 13 || at == 18 || at == 23 ? uuid[at] == '-' : strchr("0123456789abcdef", uuid[at]) != NULL);
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
    }
}

RUN(cmocka_unit_test(a_uuid_is_spelt_as_usual), cmocka_unit_test(a_date_is_iso_8601_in_utc), cmocka_unit_test(a_header_has_what_messages_need),
    cmocka_unit_test(message_ids_are_known_before_and_never_repeat))
