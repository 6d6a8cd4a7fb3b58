#include "tests/support/cmocka_tests.h"

#include "guard/link/passing.h"

#include <fcntl.h>
#include <sys/socket.h>

struct pair {
    int ends[2];
};

static void open_pair(struct pair *pair, int type)
{
    assert_int_equal(socketpair(AF_UNIX, type, 0, pair->ends), 0);
}

static void close_pair(struct pair *pair)
{
    close(pair->ends[0]);
    close(pair->ends[1]);
}

/* The number that the next descriptor gets: the same before and after when none was left open. */
static int next_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    close(fd);
    return fd;
}

static void descriptors_come_with_their_bytes(void **state)
{
    cleanup_passed struct passed passed = PASSED_NONE;
    struct pair pair;
    struct pair sent;
    char bytes[4];

    (void)state;
    open_pair(&pair, SOCK_STREAM);
    open_pair(&sent, SOCK_STREAM);
    assert_int_equal(passing_send(pair.ends[0], BYTES_LITERAL("four"), &(struct passed){{sent.ends[0]}, 1}, 0), 0);
    assert_int_equal(passing_receive(pair.ends[1], bytes, 4, MSG_WAITALL, &passed), 4);
    assert_memory_equal(bytes, "four", 4);
    assert_int_equal(passed.count, 1);
    assert_int_equal(write(passed.fds[0], "x", 1), 1);
    assert_int_equal(read(sent.ends[1], bytes, 1), 1);
    assert_int_equal(fcntl(passed.fds[0], F_GETFD), FD_CLOEXEC);
    close_pair(&pair);
    close_pair(&sent);
}

static void nothing_stays_open_of_what_is_not_taken(void **state)
{
    int free_fd = next_fd();
    struct pair pair;
    char bytes[4];

    (void)state;
    open_pair(&pair, SOCK_SEQPACKET);
    for (size_t count = 2; count <= PASSED_MAX; count += PASSED_MAX - 2) {
        cleanup_passed struct passed passed = PASSED_NONE;
        struct passed sent = {.count = count};

        assert_int_equal(passing_send(pair.ends[0], BYTES_LITERAL("four"), &sent, 0), 0);
        assert_int_equal(passing_receive(pair.ends[1], bytes, 4, 0, &passed), 4);
        assert_int_equal(passed.count, count);
        assert_int_equal(passed_steal_one(&passed), -1);
    }
    close_pair(&pair);
    assert_int_equal(next_fd(), free_fd);
}

static void a_message_too_long_leaves_no_descriptor(void **state)
{
    int free_fd = next_fd();
    struct passed passed = PASSED_NONE;
    struct pair pair;
    char bytes[2];

    (void)state;
    open_pair(&pair, SOCK_SEQPACKET);
    assert_int_equal(passing_send(pair.ends[0], BYTES_LITERAL("four"), &(struct passed){{0}, 1}, 0), 0);
    assert_int_equal(passing_receive(pair.ends[1], bytes, 2, 0, &passed), -EMSGSIZE);
    assert_int_equal(passed.count, 0);
    close_pair(&pair);
    assert_int_equal(next_fd(), free_fd);
}

static void the_end_is_no_error(void **state)
{
    struct passed passed = PASSED_NONE;
    struct pair pair;
    char byte;

    (void)state;
    open_pair(&pair, SOCK_STREAM);
    close(pair.ends[0]);
    assert_int_equal(passing_receive(pair.ends[1], &byte, 1, 0, &passed), 0);
    assert_int_equal(passing_send(pair.ends[1], BYTES_LITERAL("x"), &PASSED_NONE, 0), -EPIPE);
    close(pair.ends[1]);
}

RUN(cmocka_unit_test(descriptors_come_with_their_bytes),
    cmocka_unit_test(nothing_stays_open_of_what_is_not_taken),
    cmocka_unit_test(a_message_too_long_leaves_no_descriptor),
    cmocka_unit_test(the_end_is_no_error))
