#include "tests/support/cmocka_tests.h"

#include "kernel/channels/iopub.h"

#include <time.h>

enum { MESSAGES = 5000, PATIENCE_MS = 500 };

struct fixture {
    void *context;
    struct loop *loop;
    struct iopub iopub;
    int welcomes;
};

static void on_welcome(void *context, struct bytes subscription)
{
    struct fixture *fixture = context;
    struct frames frames = FRAMES_NONE;

    fixture->welcomes++;
    frames_append(&frames, subscription);
    frames_append(&frames, BYTES_LITERAL("welcome"));
    iopub_publish(&fixture->iopub, &frames);
}

static void set_up(struct fixture *fixture)
{
    *fixture = (struct fixture){.context = zmq_ctx_new(), .loop = loop_new()};
    assert_int_equal(
        iopub_init(&fixture->iopub, fixture->context, fixture->loop, PATIENCE_MS, on_welcome, fixture),
        0);
    assert_int_equal(zmq_bind(fixture->iopub.socket, "inproc://iopub"), 0);
}

static void publish(struct fixture *fixture, const char *text, size_t padding)
{
    cleanup_free char *pad = xcalloc(padding + 1, 1);
    struct frames frames = FRAMES_NONE;

    frames_append(&frames, BYTES_LITERAL("topic"));
    frames_append(&frames, (struct bytes){pad, padding});
    frames_append(&frames, bytes_of_string(text));
    assert_int_equal(iopub_publish(&fixture->iopub, &frames), 0);
}

static void *subscribe(struct fixture *fixture, int receive_hwm)
{
    void *socket = zmq_socket(fixture->context, ZMQ_SUB);

    zmq_setsockopt(socket, ZMQ_RCVHWM, &receive_hwm, sizeof(receive_hwm));
    zmq_connect(socket, "inproc://iopub");
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    for (int i = 0; i < 100; i++) {
        int before = fixture->welcomes;

        iopub_read_subscriptions(&fixture->iopub);
        if (fixture->welcomes > before)
            break;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return socket;
}

static void tear_down(struct fixture *fixture)
{
    iopub_finish(&fixture->iopub, fixture->loop);
    zmq_ctx_term(fixture->context);
    loop_free(fixture->loop);
}

/* What waits in the queue is sent again and again, as the loop's timer does. */
static void receive_text(struct fixture *fixture, void *socket, const char *expected)
{
    struct frames frames = FRAMES_NONE;
    int result;

    while ((result = frames_receive(socket, &frames)) == FRAMES_E_AGAIN) {
        iopub_drain(&fixture->iopub, 0);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    assert_int_equal(result, 0);
    assert_true(bytes_equal_string(frames_at(&frames, frames.count - 1), expected));
    frames_finish(&frames);
}

static void every_subscriber_is_welcomed_first(void **state)
{
    struct fixture fixture;
    void *one;
    void *two;

    (void)state;
    set_up(&fixture);
    one = subscribe(&fixture, 1000);
    two = subscribe(&fixture, 1000);
    assert_int_equal(fixture.welcomes, 2);
    receive_text(&fixture, one, "welcome");
    receive_text(&fixture, two, "welcome");
    zmq_close(one);
    zmq_close(two);
    tear_down(&fixture);
}

static void a_slow_subscriber_loses_nothing(void **state)
{
    struct fixture fixture;
    void *socket;

    (void)state;
    set_up(&fixture);
    socket = subscribe(&fixture, 10);
    receive_text(&fixture, socket, "welcome");
    for (int i = 0; i < MESSAGES; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", i);
        publish(&fixture, text, 0);
        assert_int_equal(iopub_flush(&fixture.iopub), 0);
    }
    assert_true(fixture.iopub.count > 0);
    for (int i = 0; i < MESSAGES; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", i);
        receive_text(&fixture, socket, text);
    }
    assert_int_equal(fixture.iopub.count, 0);
    assert_int_equal(fixture.iopub.bytes, 0);
    zmq_close(socket);
    tear_down(&fixture);
}

static void what_is_published_leaves_when_it_is_flushed(void **state)
{
    struct fixture fixture;
    struct frames frames = FRAMES_NONE;
    void *socket;

    (void)state;
    set_up(&fixture);
    socket = subscribe(&fixture, 1000);
    receive_text(&fixture, socket, "welcome");
    publish(&fixture, "one", 0);
    publish(&fixture, "two", 0);
    assert_int_equal(fixture.iopub.count, 2);
    assert_int_equal(frames_receive(socket, &frames), FRAMES_E_AGAIN);
    assert_int_equal(iopub_flush(&fixture.iopub), 0);
    assert_int_equal(fixture.iopub.count, 0);
    receive_text(&fixture, socket, "one");
    receive_text(&fixture, socket, "two");
    zmq_close(socket);
    tear_down(&fixture);
}

static void what_is_long_leaves_at_once(void **state)
{
    struct fixture fixture;
    void *socket;

    (void)state;
    set_up(&fixture);
    socket = subscribe(&fixture, 1000);
    receive_text(&fixture, socket, "welcome");
    publish(&fixture, "short", 0);
    publish(&fixture, "long", 100 * 1000);
    assert_int_equal(fixture.iopub.count, 0);
    receive_text(&fixture, socket, "short");
    receive_text(&fixture, socket, "long");
    zmq_close(socket);
    tear_down(&fixture);
}

static void a_newcomer_hears_nothing_from_before_its_welcome(void **state)
{
    struct fixture fixture;
    void *socket;

    (void)state;
    set_up(&fixture);
    publish(&fixture, "before", 0);
    socket = subscribe(&fixture, 1000);
    receive_text(&fixture, socket, "welcome");
    zmq_close(socket);
    tear_down(&fixture);
}

/* What waits for the slow one is heard by the newcomer as well, but first comes its welcome. */
static void a_newcomer_is_welcomed_first_while_the_queue_is_full(void **state)
{
    struct fixture fixture;
    void *slow;
    void *newcomer;

    (void)state;
    set_up(&fixture);
    slow = subscribe(&fixture, 10);
    for (int i = 0; i < MESSAGES; i++)
        publish(&fixture, "before", 0);
    assert_int_equal(iopub_flush(&fixture.iopub), 0);
    assert_true(fixture.iopub.is_full);
    newcomer = subscribe(&fixture, 2 * MESSAGES);
    assert_int_equal(fixture.welcomes, 2);
    zmq_close(slow);
    receive_text(&fixture, newcomer, "welcome");
    receive_text(&fixture, newcomer, "before");
    zmq_close(newcomer);
    tear_down(&fixture);
}

/* libzmq would connect anew, as a client that hangs does not. */
static void *connect_who_never_reads(struct fixture *fixture)
{
    int one = 1;
    int never = -1;
    int small = 64 * 1024;
    char endpoint[64];
    size_t size = sizeof(endpoint);
    void *socket = zmq_socket(fixture->context, ZMQ_SUB);

    assert_int_equal(zmq_bind(fixture->iopub.socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(fixture->iopub.socket, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &one, sizeof(one));
    zmq_setsockopt(socket, ZMQ_RCVBUF, &small, sizeof(small));
    zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &never, sizeof(never));
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    assert_int_equal(zmq_connect(socket, endpoint), 0);
    for (int i = 0; i < 1000 && fixture->welcomes == 0; i++) {
        iopub_read_subscriptions(&fixture->iopub);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    assert_int_equal(fixture->welcomes, 1);
    return socket;
}

static void who_takes_nothing_is_cut_off(void **state)
{
    struct fixture fixture;
    void *socket;

    (void)state;
    set_up(&fixture);
    socket = connect_who_never_reads(&fixture);
    for (int i = 0; i < MESSAGES / 2; i++)
        publish(&fixture, "text", 20 * 1000);
    assert_true(fixture.iopub.is_full);
    for (int i = 0; i < 1000 && fixture.iopub.count != 0; i++)
        iopub_drain(&fixture.iopub, 10);
    assert_int_equal(fixture.iopub.count, 0);
    zmq_close(socket);
    tear_down(&fixture);
}

static void very_many_subscriptions_wait_their_turn(void **state)
{
    struct fixture fixture;
    void *socket;
    int rounds = 0;

    (void)state;
    set_up(&fixture);
    socket = subscribe(&fixture, 0);
    for (int i = 0; i < 500; i++) {
        char topic[16];

        snprintf(topic, sizeof(topic), "topic %d", i);
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic));
    }
    for (int before = 1; fixture.welcomes < 501 && rounds < 100; rounds++, before = fixture.welcomes) {
        assert_int_equal(iopub_read_subscriptions(&fixture.iopub), 0);
        assert_true(fixture.welcomes - before < 100);
        assert_true(fixture.iopub.source.again || fixture.welcomes == 501);
    }
    assert_int_equal(fixture.welcomes, 501);
    zmq_close(socket);
    tear_down(&fixture);
}

RUN(cmocka_unit_test(every_subscriber_is_welcomed_first),
    cmocka_unit_test(a_slow_subscriber_loses_nothing),
    cmocka_unit_test(what_is_published_leaves_when_it_is_flushed),
    cmocka_unit_test(what_is_long_leaves_at_once),
    cmocka_unit_test(a_newcomer_hears_nothing_from_before_its_welcome),
    cmocka_unit_test(a_newcomer_is_welcomed_first_while_the_queue_is_full),
    cmocka_unit_test(who_takes_nothing_is_cut_off),
    cmocka_unit_test(very_many_subscriptions_wait_their_turn))
