#include "kernel/loop.h"

#include "guard/link/buffer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

enum { SOURCES_MAX = 48, TIMERS_MAX = 24 };

struct loop {
    struct loop_source *sources[SOURCES_MAX];
    size_t source_count;
    struct loop_timer *timers[TIMERS_MAX];
    size_t timer_count;
    loop_callback round_end; /* NULL: nothing */
    void *round_end_context;
    bool stopped;
};

struct loop *loop_new(void)
{
    return xcalloc(1, sizeof(struct loop));
}

void loop_free(struct loop *loop)
{
    free(loop);
}

void loop_set_round_end(struct loop *loop, loop_callback callback, void *context)
{
    loop->round_end = callback;
    loop->round_end_context = context;
}

void loop_add(struct loop *loop, struct loop_source *source)
{
    size_t size = sizeof(source->fd);

    if (loop->source_count == SOURCES_MAX)
        abort();
    if (source->socket != NULL) {
        if (zmq_getsockopt(source->socket, ZMQ_FD, &source->fd, &size) < 0)
            abort(); /* a socket has one */
        source->events = POLLIN;
        source->again = true; /* its descriptor tells of changes only */
    }
    source->ready = false;
    loop->sources[loop->source_count++] = source;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
    for (size_t i = 0; i < loop->source_count; i++) {
        if (loop->sources[i] != source)
            continue;
        memmove(&loop->sources[i], &loop->sources[i + 1],
                (loop->source_count - i - 1) * sizeof(loop->sources[0]));
        loop->source_count--;
        source->ready = false;
        return;
    }
}

void loop_add_timer(struct loop *loop, struct loop_timer *timer)
{
    if (loop->timer_count == TIMERS_MAX)
        abort();
    loop->timers[loop->timer_count++] = timer;
}

void loop_remove_timer(struct loop *loop, struct loop_timer *timer)
{
    for (size_t i = 0; i < loop->timer_count; i++)
        if (loop->timers[i] == timer)
            loop->timers[i] = loop->timers[--loop->timer_count];
}

int64_t loop_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1; /* never 0, which means off */
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    timer->due_ms = loop_now_ms() + delay_ms;
}

void loop_timer_stop(struct loop_timer *timer)
{
    timer->due_ms = 0;
}

static int wait_ms(const struct loop *loop)
{
    int64_t first = 0;
    int64_t left;

    for (size_t i = 0; i < loop->timer_count; i++) {
        int64_t due = loop->timers[i]->due_ms;

        if (due != 0 && (first == 0 || due < first))
            first = due;
    }
    if (first == 0)
        return -1;
    left = first - loop_now_ms();
    return left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

/* Whether a source is ready without its descriptor saying so. */
static bool is_ready_again(struct loop_source *source)
{
    int events = 0;
    size_t size = sizeof(events);

    if (!source->again)
        return false;
    source->again = false;
    if (source->socket == NULL)
        return true;
    /* What fails here fails in the callback as well, which says so. */
    return zmq_getsockopt(source->socket, ZMQ_EVENTS, &events, &size) < 0 ||
           (events & ZMQ_POLLIN) != 0;
}

static int wait_for_sources(struct loop *loop)
{
    struct pollfd fds[SOURCES_MAX];
    struct loop_source *waited[SOURCES_MAX];
    bool any_ready = false;
    nfds_t count = 0;

    for (size_t i = 0; i < loop->source_count; i++) {
        struct loop_source *source = loop->sources[i];

        /* One that was passed over, because a callback took out the source before it, is still due. */
        source->ready = !source->paused && (source->ready || is_ready_again(source));
        any_ready = any_ready || source->ready;
        if (source->paused)
            continue;
        fds[count] = (struct pollfd){source->fd, source->events, 0};
        waited[count++] = source;
    }
    if (poll(fds, count, any_ready ? 0 : wait_ms(loop)) < 0)
        return errno == EINTR ? 0 : -errno;
    for (nfds_t i = 0; i < count; i++)
        if (fds[i].revents != 0)
            waited[i]->ready = true;
    return 0;
}

/* A callback may remove any source: `ready` is looked at again at each place. */
static int serve_sources(struct loop *loop)
{
    int result = 0;

    for (size_t i = 0; result == 0 && !loop->stopped && i < loop->source_count; i++) {
        struct loop_source *source = loop->sources[i];

        if (!source->ready || source->paused)
            continue;
        source->ready = false;
        result = source->callback(source->context);
    }
    return result;
}

static int serve_timers(struct loop *loop)
{
    int64_t now = loop_now_ms();
    int result = 0;

    for (size_t i = 0; result == 0 && !loop->stopped && i < loop->timer_count; i++) {
        struct loop_timer *timer = loop->timers[i];

        if (timer->due_ms == 0 || timer->due_ms > now)
            continue;
        timer->due_ms = 0;
        result = timer->callback(timer->context);
    }
    return result;
}

static int end_round(struct loop *loop)
{
    return loop->round_end != NULL ? loop->round_end(loop->round_end_context) : 0;
}

int loop_run(struct loop *loop)
{
    int result = end_round(loop); /* what was collected before the first one */

    loop->stopped = false;
    while (result == 0 && !loop->stopped) {
        result = wait_for_sources(loop);
        if (result == 0)
            result = serve_sources(loop);
        if (result == 0)
            result = serve_timers(loop);
        if (result == 0)
            result = end_round(loop);
    }
    return result;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
