#include "tests/support/cmocka_tests.h"

#include "kernel/execution/comms.h"

#include <errno.h>
#include <time.h>

static void expect_info(const struct comms *comms, const char *target, const char *expected)
{
    cleanup_buffer struct buffer json = BUFFER_NONE;

    comms_append_info(comms, target, &json);
    assert_true(bytes_equal_string(buffer_bytes(&json), expected));
}

static void open_comms_are_listed(void **state)
{
    struct comms *comms = comms_new();

    (void)state;
    comms_note_open(comms, BYTES_LITERAL("{\"comm_id\":\"a\",\"target_name\":\"t\\\"1\"}"), 1);
    comms_note_open(comms, BYTES_LITERAL("{\"comm_id\":\"b\",\"target_name\":\"t2\"}"), 1);
    expect_info(comms, "t2", "{\"b\":{\"target_name\":\"t2\"}}");
    expect_info(comms, "t\"1", "{\"a\":{\"target_name\":\"t\\\"1\"}}");
    comms_note_close(comms, BYTES_LITERAL("{\"comm_id\":\"a\"}"));
    expect_info(comms, NULL, "{\"b\":{\"target_name\":\"t2\"}}");
    comms_clear(comms);
    expect_info(comms, NULL, "{}");
    comms_free(comms);
}

static void a_bad_message_changes_nothing(void **state)
{
    struct comms *comms = comms_new();

    (void)state;
    comms_note_open(comms, BYTES_LITERAL("{\"comm_id\":1,\"target_name\":\"t\"}"), 1);
    comms_note_open(comms, BYTES_LITERAL("{\"comm_id\":\"a\"}"), 1);
    comms_note_close(comms, BYTES_LITERAL("{}"));
    expect_info(comms, NULL, "{}");
    comms_free(comms);
}

/* A cell chooses them: what the kernel process keeps of it is bounded. */
static void long_names_are_not_kept(void **state)
{
    struct comms *comms = comms_new();
    cleanup_buffer struct buffer open = BUFFER_NONE;

    (void)state;
    buffer_append_string(&open, "{\"comm_id\":\"a\",\"target_name\":\"");
    for (int i = 0; i < 257; i++)
        buffer_append_char(&open, 'x');
    buffer_append_string(&open, "\"}");
    comms_note_open(comms, buffer_bytes(&open), 1);
    expect_info(comms, NULL, "{}");
    comms_free(comms);
}

static int count_closed(void *context, struct bytes content)
{
    int *count = context;

    assert_true(content.size > 0);
    *count += 1;
    return *count == 3 ? -EPIPE : 0;
}

/* Cells open as many as they like, and the kernel process does nothing else meanwhile. */
static void many_are_closed_in_no_time(void **state)
{
    enum { EACH = 30000, SECONDS_MAX = 5 };
    struct comms *comms = comms_new();
    int count = 0;
    clock_t began;

    (void)state;
    for (int i = 0; i < 2 * EACH; i++) {
        cleanup_free char *open = xasprintf("{\"comm_id\":\"%d\",\"target_name\":\"t\"}", i);

        comms_note_open(comms, bytes_of_string(open), i < EACH ? 1 : 2);
    }
    comms_note_open(comms, BYTES_LITERAL("{\"comm_id\":\"last\",\"target_name\":\"later\"}"), 2);
    began = clock();
    assert_int_equal(comms_close_after(comms, 1, count_closed, &count), -EPIPE);
    assert_int_equal(count, 3);
    assert_true(clock() - began < SECONDS_MAX * CLOCKS_PER_SEC);
    expect_info(comms, "later", "{}");
    assert_int_equal(comms_close_after(comms, 1, count_closed, &count), 0);
    assert_int_equal(comms_close_after(comms, 0, count_closed, &count), 0);
    assert_int_equal(count, 3 + EACH);
    expect_info(comms, NULL, "{}");
    comms_free(comms);
}

RUN(cmocka_unit_test(open_comms_are_listed), cmocka_unit_test(a_bad_message_changes_nothing),
    cmocka_unit_test(long_names_are_not_kept), cmocka_unit_test(many_are_closed_in_no_time))
