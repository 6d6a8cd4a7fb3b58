#include "kernel/loop.h"

#include "guard/link/buffer.h"

#include <errno.h>
#include <time.h>

enum { SOURCES_MAX = 32, TIMERS_MAX = 16 };

struct loop {
    struct loop_source *sources[SOURCES_MAX];
    size_t source_count;
    struct loop_timer *timers[TIMERS_MAX];
    size_t timer_count;
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

void loop_add(struct loop *loop, struct loop_source *source)
{
    if (loop->source_count == SOURCES_MAX)
        abort();
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

static long wait_ms(const struct loop *loop)
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
    return left > 0 ? (long)left : 0;
}

static int wait_for_sources(struct loop *loop)
{
    zmq_pollitem_t items[SOURCES_MAX];
    struct loop_source *waited[SOURCES_MAX];
    int count = 0;

    for (size_t i = 0; i < loop->source_count; i++) {
        struct loop_source *source = loop->sources[i];

        source->ready = false;
        if (source->paused)
            continue;
        items[count] = (zmq_pollitem_t){source->socket, source->fd, source->events, 0};
        waited[count++] = source;
    }
    if (zmq_poll(items, count, wait_ms(loop)) < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++)
        waited[i]->ready = items[i].revents != 0;
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

int loop_run(struct loop *loop)
{
    int result = 0;

    loop->stopped = false;
    while (result == 0 && !loop->stopped) {
        result = wait_for_sources(loop);
        if (result == 0)
            result = serve_sources(loop);
        if (result == 0)
            result = serve_timers(loop);
    }
    return result;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
