#include "tests/support/cmocka_tests.h"

#include "kernel/loop.h"

#include <poll.h>
#include <unistd.h>

struct seen {
    struct loop *loop;
    char order[8];
    int count;
    int stop_after;
    int fd;
};

static int note(struct seen *seen, char what)
{
    seen->order[seen->count++] = what;
    if (seen->count == seen->stop_after)
        loop_stop(seen->loop);
    return 0;
}

static int on_readable(void *context)
{
    struct seen *seen = context;
    char byte;

    assert_int_equal(read(seen->fd, &byte, 1), 1);
    return note(seen, byte);
}

static int on_timer(void *context)
{
    return note(context, 't');
}

static int report_fault(void *context)
{
    (void)context;
    return -EIO;
}

static void what_is_readable_is_served(void **state)
{
    struct seen seen = {.loop = loop_new(), .stop_after = 2};
    struct loop_source source;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    seen.fd = ends[0];
    source = (struct loop_source){
        .fd = ends[0], .events = POLLIN, .callback = on_readable, .context = &seen};
    loop_add(seen.loop, &source);
    assert_int_equal(write(ends[1], "ab", 2), 2);
    assert_int_equal(loop_run(seen.loop), 0);
    assert_memory_equal(seen.order, "ab", 2);
    loop_remove(seen.loop, &source);
    loop_free(seen.loop);
    close(ends[0]);
    close(ends[1]);
}

static void a_paused_source_waits(void **state)
{
    struct seen seen = {.loop = loop_new(), .stop_after = 1};
    struct loop_timer timer = {.callback = on_timer, .context = &seen};
    struct loop_source source;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    seen.fd = ends[0];
    source = (struct loop_source){.fd = ends[0],
                                  .events = POLLIN,
                                  .paused = true,
                                  .callback = on_readable,
                                  .context = &seen};
    loop_add(seen.loop, &source);
    loop_add_timer(seen.loop, &timer);
    loop_timer_start(&timer, 5);
    assert_int_equal(write(ends[1], "a", 1), 1);
    assert_int_equal(loop_run(seen.loop), 0);
    assert_int_equal(seen.order[0], 't');
    loop_free(seen.loop);
    close(ends[0]);
    close(ends[1]);
}

static void a_stopped_timer_does_not_fire(void **state)
{
    struct seen seen = {.loop = loop_new(), .stop_after = 1};
    struct loop_timer stopped = {.callback = report_fault};
    struct loop_timer timer = {.callback = on_timer, .context = &seen};

    (void)state;
    loop_add_timer(seen.loop, &stopped);
    loop_add_timer(seen.loop, &timer);
    loop_timer_start(&stopped, 1);
    loop_timer_start(&timer, 10);
    loop_timer_stop(&stopped);
    assert_int_equal(loop_run(seen.loop), 0);
    assert_int_equal(seen.count, 1);
    loop_free(seen.loop);
}

static void a_fault_ends_the_loop(void **state)
{
    struct loop *loop = loop_new();
    struct loop_timer timer = {.callback = report_fault};

    (void)state;
    loop_add_timer(loop, &timer);
    loop_timer_start(&timer, 0);
    assert_int_equal(loop_run(loop), -EIO);
    loop_free(loop);
}

struct sockets {
    void *context;
    void *ours;
    void *theirs;
    struct seen seen;
    struct loop_source source;
};

/* One message a round, as a callback that takes bounded bites. */
static int on_socket(void *context)
{
    struct sockets *sockets = context;
    char byte;

    if (zmq_recv(sockets->ours, &byte, 1, ZMQ_DONTWAIT) != 1)
        return 0;
    sockets->source.again = true;
    return note(&sockets->seen, byte);
}

static void open_sockets(struct sockets *sockets, int stop_after)
{
    *sockets = (struct sockets){.context = zmq_ctx_new(),
                                .seen = {.loop = loop_new(), .stop_after = stop_after}};
    sockets->ours = zmq_socket(sockets->context, ZMQ_PAIR);
    sockets->theirs = zmq_socket(sockets->context, ZMQ_PAIR);
    assert_int_equal(zmq_bind(sockets->ours, "inproc://pair"), 0);
    assert_int_equal(zmq_connect(sockets->theirs, "inproc://pair"), 0);
    sockets->source =
        (struct loop_source){.socket = sockets->ours, .callback = on_socket, .context = sockets};
    loop_add(sockets->seen.loop, &sockets->source);
}

static void close_sockets(struct sockets *sockets)
{
    loop_remove(sockets->seen.loop, &sockets->source);
    zmq_close(sockets->ours);
    zmq_close(sockets->theirs);
    zmq_ctx_term(sockets->context);
    loop_free(sockets->seen.loop);
}

static void a_socket_that_was_not_emptied_is_served_again(void **state)
{
    struct sockets sockets;

    (void)state;
    open_sockets(&sockets, 3);
    for (const char *byte = "abc"; *byte != '\0'; byte++)
        assert_int_equal(zmq_send(sockets.theirs, byte, 1, 0), 1);
    assert_int_equal(loop_run(sockets.seen.loop), 0);
    assert_memory_equal(sockets.seen.order, "abc", 3);
    close_sockets(&sockets);
}

/* libzmq takes note of an arrival in any call; the descriptor does not tell of it a second time. */
static void what_a_call_between_has_noticed_is_served(void **state)
{
    struct sockets sockets;
    struct loop_timer late = {.callback = report_fault};
    int events = 0;
    size_t size = sizeof(events);

    (void)state;
    open_sockets(&sockets, 1);
    sockets.source.again = false;
    loop_add_timer(sockets.seen.loop, &late);
    loop_timer_start(&late, 2000);
    assert_int_equal(zmq_send(sockets.theirs, "a", 1, 0), 1);
    assert_int_equal(zmq_getsockopt(sockets.ours, ZMQ_EVENTS, &events, &size), 0);
    assert_true((events & ZMQ_POLLIN) != 0);
    sockets.source.again = true;
    assert_int_equal(loop_run(sockets.seen.loop), 0);
    assert_int_equal(sockets.seen.order[0], 'a');
    close_sockets(&sockets);
}

static int on_round_end(void *context)
{
    struct seen *seen = context;

    seen->order[seen->count++] = 'e';
    return 0;
}

static void the_last_round_has_an_end_too(void **state)
{
    struct seen seen = {.loop = loop_new(), .stop_after = 2};
    struct loop_timer timer = {.callback = on_timer, .context = &seen};

    (void)state;
    loop_set_round_end(seen.loop, on_round_end, &seen);
    loop_add_timer(seen.loop, &timer);
    loop_timer_start(&timer, 0);
    assert_int_equal(loop_run(seen.loop), 0);
    assert_int_equal(seen.count, 3);
    assert_memory_equal(seen.order, "ete", 3);
    loop_free(seen.loop);
}

struct leaving {
    struct seen *seen;
    struct loop_source source;
};

static int leave(void *context)
{
    struct leaving *leaving = context;

    loop_remove(leaving->seen->loop, &leaving->source);
    return 0;
}

static int on_due(void *context)
{
    return note(context, 'd');
}

/* Taking the first one out moves the second to a place that was served already. */
static void who_leaves_takes_no_turn_away(void **state)
{
    struct seen seen = {.loop = loop_new(), .stop_after = 1};
    struct leaving leaving = {.seen = &seen};
    struct loop_timer late = {.callback = report_fault};
    struct loop_source due;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    leaving.source = (struct loop_source){
        .fd = ends[1], .events = POLLOUT, .callback = leave, .context = &leaving};
    due = (struct loop_source){
        .fd = ends[0], .events = POLLIN, .callback = on_due, .context = &seen};
    loop_add(seen.loop, &leaving.source);
    loop_add(seen.loop, &due);
    due.again = true; /* and its descriptor never tells */
    loop_add_timer(seen.loop, &late);
    loop_timer_start(&late, 2000);
    assert_int_equal(loop_run(seen.loop), 0);
    assert_int_equal(seen.order[0], 'd');
    loop_free(seen.loop);
    close(ends[0]);
    close(ends[1]);
}

RUN(cmocka_unit_test(what_is_readable_is_served), cmocka_unit_test(a_paused_source_waits),
    cmocka_unit_test(a_stopped_timer_does_not_fire), cmocka_unit_test(a_fault_ends_the_loop),
    cmocka_unit_test(a_socket_that_was_not_emptied_is_served_again),
    cmocka_unit_test(what_a_call_between_has_noticed_is_served),
    cmocka_unit_test(who_leaves_takes_no_turn_away),
    cmocka_unit_test(the_last_round_has_an_end_too))
