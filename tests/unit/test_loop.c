#include "tests/support/cmocka_tests.h"

#include "kernel/loop.h"

#include <errno.h>
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
        .fd = ends[0], .events = ZMQ_POLLIN, .callback = on_readable, .context = &seen};
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
                                  .events = ZMQ_POLLIN,
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

RUN(cmocka_unit_test(what_is_readable_is_served), cmocka_unit_test(a_paused_source_waits),
    cmocka_unit_test(a_stopped_timer_does_not_fire), cmocka_unit_test(a_fault_ends_the_loop))
