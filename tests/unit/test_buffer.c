#include "tests/support/cmocka_tests.h"

#include "guard/link/buffer.h"

static void appended_bytes_stay_in_order(void **state)
{
    cleanup_buffer struct buffer buffer = BUFFER_NONE;

    (void)state;
    for (int i = 0; i < 1000; i++)
        buffer_append_format(&buffer, "%d,", i);
    assert_int_equal(buffer.size, 10 * 2 + 90 * 3 + 900 * 4);
    assert_memory_equal(buffer.data, "0,1,2,", 6);
    assert_memory_equal(buffer.data + buffer.size - 8, "998,999,", 8);
}

static void dropping_the_front_keeps_the_rest(void **state)
{
    cleanup_buffer struct buffer buffer = BUFFER_NONE;

    (void)state;
    buffer_append_string(&buffer, "headbody");
    buffer_drop_front(&buffer, 4);
    assert_true(bytes_equal_string(buffer_bytes(&buffer), "body"));
}

static void clearing_gives_large_memory_back(void **state)
{
    cleanup_buffer struct buffer buffer = BUFFER_NONE;

    (void)state;
    buffer_reserve(&buffer, 100000);
    buffer_clear(&buffer, 1000);
    assert_int_equal(buffer.capacity, 0);
    buffer_append_string(&buffer, "x");
    buffer_clear(&buffer, 1000);
    assert_int_not_equal(buffer.capacity, 0);
    assert_int_equal(buffer.size, 0);
}

static void a_stolen_string_ends_with_nul(void **state)
{
    struct buffer buffer = BUFFER_NONE;
    cleanup_free char *text = NULL;

    (void)state;
    buffer_append_string(&buffer, "text");
    text = buffer_steal_string(&buffer);
    assert_string_equal(text, "text");
    assert_null(buffer.data);
}

RUN(cmocka_unit_test(appended_bytes_stay_in_order),
    cmocka_unit_test(dropping_the_front_keeps_the_rest),
    cmocka_unit_test(clearing_gives_large_memory_back),
    cmocka_unit_test(a_stolen_string_ends_with_nul))
