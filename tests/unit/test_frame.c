#include "tests/support/cmocka_tests.h"

#include "guard/link/frame.h"

#include <fcntl.h>
#include <sys/socket.h>

static int ends[2];

static int open_ends(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
}

static int close_ends(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void push_stdout(struct frame_writer *writer, uint32_t cell, const char *text)
{
    struct bytes part = bytes_of_string(text);

    frame_writer_push(writer, &(struct frame){FRAME_STDOUT, cell, 1, &part});
}

static void frames_arrive_whole_and_in_order(void **state)
{
    struct frame_writer writer;
    struct frame_reader reader;
    struct frame frame;

    (void)state;
    frame_writer_init(&writer);
    frame_reader_init(&reader, FRAME_TO_KERNEL);
    push_stdout(&writer, 1, "one");
    push_stdout(&writer, 2, "two");
    assert_int_equal(frame_writer_flush(&writer, ends[0]), 0);
    assert_int_equal(frame_reader_fill(&reader, ends[1]), 0);
    assert_int_equal(frame_reader_next(&reader, &frame), 0);
    assert_int_equal(frame.cell, 1);
    assert_true(bytes_equal_string(frame.parts[0], "one"));
    assert_int_equal(frame_reader_next(&reader, &frame), 0);
    assert_int_equal(frame.cell, 2);
    assert_true(bytes_equal_string(frame.parts[0], "two"));
    assert_int_equal(frame_reader_next(&reader, &frame), LINK_E_AGAIN);
    frame_reader_finish(&reader);
    frame_writer_finish(&writer);
}

/* Half a frame, then the rest: nothing is taken early, nothing gets lost. */
static void a_frame_cut_in_two_waits_for_its_rest(void **state)
{
    struct frame_writer writer;
    struct frame_reader reader;
    struct frame frame;

    (void)state;
    frame_writer_init(&writer);
    frame_reader_init(&reader, FRAME_TO_KERNEL);
    push_stdout(&writer, 7, "text");
    for (size_t i = 0; i < writer.pending.size; i++) {
        int expected = i + 1 < writer.pending.size ? LINK_E_AGAIN : 0;

        assert_int_equal(write(ends[0], writer.pending.data + i, 1), 1);
        assert_int_equal(frame_reader_fill(&reader, ends[1]), 0);
        assert_int_equal(frame_reader_next(&reader, &frame), expected);
    }
    assert_true(bytes_equal_string(frame.parts[0], "text"));
    frame_reader_finish(&reader);
    frame_writer_finish(&writer);
}

static void a_full_socket_keeps_the_rest_pending(void **state)
{
    static char large[4 << 20];
    struct bytes part = {large, sizeof(large)};
    struct frame_writer writer;
    struct frame_reader reader;
    struct frame frame;
    int result;

    (void)state;
    frame_writer_init(&writer);
    frame_reader_init(&reader, FRAME_TO_KERNEL);
    frame_writer_push(&writer, &(struct frame){FRAME_STDERR, 3, 1, &part});
    assert_int_equal(frame_writer_flush(&writer, ends[0]), LINK_E_AGAIN);
    do {
        frame_writer_flush(&writer, ends[0]);
        frame_reader_fill(&reader, ends[1]);
        result = frame_reader_next(&reader, &frame);
    } while (result == LINK_E_AGAIN);
    assert_int_equal(result, 0);
    assert_int_equal(frame.parts[0].size, sizeof(large));
    assert_int_equal(frame_writer_pending(&writer), 0);
    frame_reader_finish(&reader);
    frame_writer_finish(&writer);
}

static void expect_invalid(const void *bytes, size_t size)
{
    struct frame_reader reader;
    struct frame frame;

    frame_reader_init(&reader, FRAME_TO_KERNEL);
    assert_int_equal(write(ends[0], bytes, size), size);
    assert_int_equal(frame_reader_fill(&reader, ends[1]), 0);
    assert_int_equal(frame_reader_next(&reader, &frame), LINK_E_INVALID);
    frame_reader_finish(&reader);
}

static void what_is_no_frame_is_refused(void **state)
{
    uint32_t huge[] = {0x31525053, 0 /* set below */, 1, 0xFFFFFFFF};
    uint32_t wrong_direction[] = {0x31525053, FRAME_EXECUTE | 2U << 16, 1, 0, 0};
    uint32_t unknown[] = {0x31525053, 9999 | 1U << 16, 1, 0};
    uint32_t no_parts[] = {0x31525053, FRAME_STDOUT, 1, 0};

    (void)state;
    huge[1] = FRAME_STDOUT | 1U << 16;
    expect_invalid("junk that is long enough", 24);
    expect_invalid(huge, sizeof(huge));
    expect_invalid(wrong_direction, sizeof(wrong_direction));
    expect_invalid(unknown, sizeof(unknown));
    expect_invalid(no_parts, sizeof(no_parts));
}

static void the_end_of_the_other_side_is_noticed(void **state)
{
    struct frame_reader reader;

    (void)state;
    frame_reader_init(&reader, FRAME_TO_KERNEL);
    assert_int_equal(frame_reader_fill(&reader, ends[1]), LINK_E_AGAIN);
    shutdown(ends[0], SHUT_WR);
    assert_int_equal(frame_reader_fill(&reader, ends[1]), LINK_E_CLOSED);
    frame_reader_finish(&reader);
}

#define test(function) cmocka_unit_test_setup_teardown(function, open_ends, close_ends)

RUN(test(frames_arrive_whole_and_in_order), test(a_frame_cut_in_two_waits_for_its_rest),
    test(a_full_socket_keeps_the_rest_pending), test(what_is_no_frame_is_refused),
    test(the_end_of_the_other_side_is_noticed))
