#include "tests/support/cmocka_tests.h"

#include "kernel/execution/denials.h"
#include "kernel/wire/json_text.h"

#include <string.h>

static struct buffer add(struct denials *denials, const char *text)
{
    struct buffer refusal = BUFFER_NONE;

    denials_add(denials, bytes_of_string(text), &refusal);
    return refusal;
}

static void expect(struct buffer *buffer, const char *text)
{
    cleanup_free char *found = buffer_steal_string(buffer);

    assert_string_equal(found, text);
}

static void a_refusal_is_written_anew(void **state)
{
    struct denials denials = {.count = 0};
    struct buffer refusal =
        add(&denials, "{\"rule\" :\n \"ok_dests\",\"event\":\"open\",\"time\":\"2000\","
                      "\"why\":{\"a\":1},\"remedy\":\"a\\nb\"}");

    (void)state;
    /* one line; names that are not ours and values that are no text stay out */
    expect(&refusal, "{\"event\":\"open\",\"rule\":\"ok_dests\",\"remedy\":\"a\\nb\"}");
    denials_finish(&denials);
}

static void a_long_text_is_cut_between_characters(void **state)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    cleanup_buffer struct buffer decoded = BUFFER_NONE;
    struct denials denials = {.count = 0};
    struct buffer refusal = BUFFER_NONE;
    struct bytes value;

    (void)state;
    buffer_append_string(&text, "{\"subject\":\"x");
    for (int i = 0; i < DENIAL_TEXT_BYTES_MAX; i++)
        buffer_append_string(&text, "é");
    buffer_append_string(&text, "\"}");
    denials_add(&denials, buffer_bytes(&text), &refusal);
    assert_true(json_text_is_object(buffer_bytes(&refusal), JSON_TEXT_STRICT));
    assert_true(json_text_member(buffer_bytes(&refusal), "subject", &value));
    assert_true(json_text_string(value, &decoded));
    assert_int_equal(decoded.size, DENIAL_TEXT_BYTES_MAX - 1 + strlen("…"));
    assert_memory_equal(decoded.data + decoded.size - strlen("é…"), "é…", strlen("é…"));
    buffer_finish(&refusal);
    denials_finish(&denials);
}

static void of_many_the_first_are_kept_and_all_are_counted(void **state)
{
    cleanup_buffer struct buffer members = BUFFER_NONE;
    cleanup_buffer struct buffer object = BUFFER_NONE;
    struct denials denials = {.count = 0};
    size_t found = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct buffer refusal = add(&denials, "{\"event\":\"open\"}");

        assert_int_not_equal(refusal.size, 0); /* the logs decide for themselves */
        buffer_finish(&refusal);
    }
    denials_append_members(&denials, &members);
    buffer_append_char(&members, '\0');
    for (const char *at = members.data; (at = strstr(at, "open")) != NULL; at++)
        found++;
    assert_int_equal(found, DENIALS_KEPT);
    assert_non_null(strstr(members.data, "\"denial_count\":1000,"));
    members.size--;
    buffer_append_char(&object, '{');
    buffer_append(&object, buffer_bytes(&members));
    buffer_append_char(&object, '}');
    assert_true(json_text_is_object(buffer_bytes(&object), JSON_TEXT_STRICT));
    denials_finish(&denials);
}

static void skipped_ones_are_counted(void **state)
{
    cleanup_buffer struct buffer members = BUFFER_NONE;
    struct denials denials = {.count = 0};
    struct buffer refusal = add(&denials, "{\"skipped\":7}");

    (void)state;
    assert_int_equal(refusal.size, 0);
    assert_int_equal(denials.count, 7);
    denials_append_members(&denials, &members);
    expect(&members, "\"denial_count\":7,\"denials\":[]");
    denials_finish(&denials);
}

static void nonsense_counts_once(void **state)
{
    static const char *const texts[] = {"{}", "{\"skipped\":-1}", "{\"skipped\":\"x\"}",
                                        "{\"skipped\":0}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct denials denials = {.count = 0};
        struct buffer refusal = add(&denials, texts[i]);

        expect(&refusal, "{}");
        assert_int_equal(denials.count, 1);
        denials_finish(&denials);
    }
}

RUN(cmocka_unit_test(a_refusal_is_written_anew),
    cmocka_unit_test(a_long_text_is_cut_between_characters),
    cmocka_unit_test(of_many_the_first_are_kept_and_all_are_counted),
    cmocka_unit_test(skipped_ones_are_counted), cmocka_unit_test(nonsense_counts_once))
