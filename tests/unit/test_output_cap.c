/* Head and tail pass, the middle is counted, no character is cut in two. */
#include "tests/support/cmocka_tests.h"

#include "kernel/execution/output_cap.h"

#include <string.h>

#define cleanup_cap cleanup_with(output_cap_finish)

static struct bytes bytes(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

/* All that is kept, pieces divided by '|', each with its stream in front. */
static char *drain(struct output_cap *cap)
{
    struct buffer all = BUFFER_NONE;
    struct output_piece piece;
    struct bytes text;

    while (output_cap_next(cap, &piece, &text)) {
        buffer_append_format(&all, "|%u:", piece.stream);
        buffer_append(&all, text);
    }
    return buffer_steal_string(&all);
}

static void without_a_limit_everything_passes(void **state)
{
    cleanup_cap struct output_cap cap = {.limit_bytes = 0};

    (void)state;
    assert_int_equal(output_cap_take(&cap, 0, 1, bytes("0123456789")), 10);
    assert_true(output_cap_admits(&cap, 1 << 30));
    assert_false(output_cap_holds(&cap));
}

static void head_and_tail_are_kept(void **state)
{
    cleanup_cap struct output_cap cap = {.limit_bytes = 8};
    cleanup_buffer struct buffer note = BUFFER_NONE;
    cleanup_free char *kept = NULL;

    (void)state;
    assert_int_equal(output_cap_take(&cap, 0, 1, bytes("abc")), 3);
    assert_int_equal(output_cap_take(&cap, 0, 1, bytes("defgh")), 1);
    assert_int_equal(output_cap_take(&cap, 1, 1, bytes("XY")), 0);
    assert_int_equal(output_cap_take(&cap, 0, 1, bytes("z")), 0);
    assert_true(output_cap_holds(&cap));
    assert_int_equal(cap.left_out_bytes, 3);
    kept = drain(&cap);
    assert_string_equal(kept, "|0:h|1:XY|0:z");
    output_cap_append_note(&cap, &note);
    assert_non_null(memmem(note.data, note.size, "1 KB left out", 13));
    output_cap_reset(&cap);
    assert_false(output_cap_holds(&cap));
    assert_int_equal(output_cap_take(&cap, 0, 1, bytes("abcd")), 4);
}

static void much_output_takes_little_memory(void **state)
{
    cleanup_cap struct output_cap cap = {.limit_bytes = 1024};
    cleanup_free char *kept = NULL;

    (void)state;
    for (int i = 0; i < 100000; i++)
        output_cap_take(&cap, (unsigned)i % 2, 1, bytes("0123456789"));
    assert_int_equal(cap.left_out_bytes, 1000000 - 1024);
    assert_true(cap.tail.capacity < 16384 && cap.pieces.capacity < 131072);
    kept = drain(&cap);
    assert_string_equal(kept + strlen(kept) - 13, "|1:0123456789");
}

static void characters_stay_whole(void **state)
{
    cleanup_cap struct output_cap cap = {.limit_bytes = 8};
    cleanup_free char *kept = NULL;

    (void)state;
    assert_int_equal(output_cap_take(&cap, 0, 1, bytes("abc€€€€")), 3);
    kept = drain(&cap);
    assert_string_equal(kept, "|0:€");
}

static void texts_are_cut_in_the_middle(void **state)
{
    struct output_cap cap = {.limit_bytes = 8};
    cleanup_buffer struct buffer cut = BUFFER_NONE;

    (void)state;
    output_cap_append_cut(&cap, bytes("01234567"), &cut);
    assert_int_equal(cut.size, 8);
    buffer_clear(&cut, 0);
    output_cap_append_cut(&cap, bytes("abcd------------efgh"), &cut);
    assert_memory_equal(cut.data, "abcd\n[", 6);
    assert_memory_equal(cut.data + cut.size - 6, "]\nefgh", 6);
}

static void what_is_shown_whole_passes_or_not(void **state)
{
    cleanup_cap struct output_cap cap = {.limit_bytes = 100};
    cleanup_buffer struct buffer note = BUFFER_NONE;

    (void)state;
    assert_true(output_cap_admits(&cap, 50));
    assert_false(output_cap_admits(&cap, 1));
    output_cap_append_note(&cap, &note);
    assert_non_null(memmem(note.data, note.size, "1 displays", 10));
}

RUN(cmocka_unit_test(without_a_limit_everything_passes), cmocka_unit_test(head_and_tail_are_kept),
    cmocka_unit_test(much_output_takes_little_memory), cmocka_unit_test(characters_stay_whole),
    cmocka_unit_test(texts_are_cut_in_the_middle),
    cmocka_unit_test(what_is_shown_whole_passes_or_not))
