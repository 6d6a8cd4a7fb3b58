#include "kernel/channels/iopub.h"

#include "guard/link/utf8.h"

#include <time.h>

enum {
    TOGETHER_BYTES = 64 * 1024, /* collected in a round before it is sent: no more would save nothing */
    SEND_HWM = 1000,                    /* messages per subscriber inside libzmq */
    CONGESTED_BYTES = 16 * 1024 * 1024, /* in our own queue, before the cell has to wait */
    CONGESTED_MESSAGES = 10000,
    SUBSCRIPTIONS_BITE = 64, /* taken in before others have their turn: who sends them needs no key */
    WELCOMES_MAX = 1000,     /* in a queue that somebody keeps from becoming empty: they would pile up */
    RETRY_MS = 5, /* an XPUB always calls itself writable: only trying tells */
};

static int send_waiting(struct iopub *iopub)
{
    iopub->source.again = iopub->source.again || iopub->count != 0;
    while (iopub->count != 0) {
        struct frames *frames = &iopub->waiting[iopub->first];
        size_t bytes = frames->bytes;
        int result = frames_send(iopub->socket, frames);

        if (result == FRAMES_E_AGAIN) {
            iopub->is_full = true;
            loop_timer_start(&iopub->retry, RETRY_MS);
            return 0;
        }
        if (result < 0)
            return result;
        iopub->bytes -= bytes;
        iopub->first = (iopub->first + 1) % iopub->capacity;
        iopub->count--;
    }
    iopub->is_full = false;
    iopub->welcomes = 0;
    return 0;
}

int iopub_flush(struct iopub *iopub)
{
    return iopub->is_full ? 0 : send_waiting(iopub);
}

static int on_retry(void *context)
{
    return send_waiting(context);
}

static int on_subscription(void *context)
{
    return iopub_read_subscriptions(context);
}

int iopub_init(struct iopub *iopub, void *zmq_context, struct loop *loop, int patience_ms,
               void (*welcome)(void *context, struct bytes subscription), void *context)
{
    int one = 1;
    int hwm = SEND_HWM;

    *iopub = (struct iopub){.welcome = welcome, .context = context};
    iopub->retry = (struct loop_timer){.callback = on_retry, .context = iopub};
    iopub->socket = zmq_socket(zmq_context, ZMQ_XPUB);
    /*
     * MANUAL: a subscription takes effect when we say so, so the welcome is the first thing that a
     * subscriber gets; and each one is reported, also the second to the same topic.
     */
    if (iopub->socket == NULL ||
        zmq_setsockopt(iopub->socket, ZMQ_XPUB_NODROP, &one, sizeof(one)) < 0 ||
        zmq_setsockopt(iopub->socket, ZMQ_XPUB_MANUAL, &one, sizeof(one)) < 0 ||
        zmq_setsockopt(iopub->socket, ZMQ_SNDHWM, &hwm, sizeof(hwm)) < 0 ||
        zmq_setsockopt(iopub->socket, ZMQ_TCP_MAXRT, &patience_ms, sizeof(patience_ms)) < 0)
        return -errno;
    loop_add_timer(loop, &iopub->retry);
    return 0;
}

void iopub_listen(struct iopub *iopub, struct loop *loop)
{
    iopub->source = (struct loop_source){
        .socket = iopub->socket, .callback = on_subscription, .context = iopub};
    loop_add(loop, &iopub->source);
}

void iopub_finish(struct iopub *iopub, struct loop *loop)
{
    loop_remove(loop, &iopub->source);
    loop_remove_timer(loop, &iopub->retry);
    for (size_t i = 0; i < iopub->count; i++)
        frames_finish(&iopub->waiting[(iopub->first + i) % iopub->capacity]);
    free(iopub->waiting);
    if (iopub->socket != NULL)
        zmq_close(iopub->socket);
    *iopub = (struct iopub){.socket = NULL};
}

static void make_room(struct iopub *iopub)
{
    size_t capacity = iopub->capacity != 0 ? iopub->capacity * 2 : 64;
    struct frames *ring;

    if (iopub->count < iopub->capacity)
        return;
    ring = xcalloc(capacity, sizeof(*ring));
    for (size_t i = 0; i < iopub->count; i++)
        ring[i] = iopub->waiting[(iopub->first + i) % iopub->capacity];
    free(iopub->waiting);
    iopub->waiting = ring;
    iopub->capacity = capacity;
    iopub->first = 0;
}

/* What waits when a subscription is taken in goes to the newcomer, too: its welcome comes before. */
static void enqueue(struct iopub *iopub, struct frames *frames)
{
    size_t place;

    make_room(iopub);
    if (iopub->is_welcoming)
        place = iopub->first = (iopub->first + iopub->capacity - 1) % iopub->capacity;
    else
        place = (iopub->first + iopub->count) % iopub->capacity;
    iopub->waiting[place] = *frames;
    iopub->count++;
    iopub->bytes += frames->bytes;
    *frames = FRAMES_NONE;
}

int iopub_publish(struct iopub *iopub, struct frames *frames)
{
    enqueue(iopub, frames);
    return iopub->bytes >= TOGETHER_BYTES ? iopub_flush(iopub) : 0;
}

int iopub_read_subscriptions(struct iopub *iopub)
{
    iopub->source.again = true;
    for (int i = 0; i < SUBSCRIPTIONS_BITE; i++) {
        cleanup_frames struct frames frames = FRAMES_NONE;
        int result = frames_receive(iopub->socket, &frames);
        struct bytes notice;
        struct bytes topic;
        bool subscribes;

        if (result == FRAMES_E_AGAIN) {
            iopub->source.again = false;
            return 0;
        }
        if (result < 0)
            return result;
        if (result != 0)
            continue;
        notice = frames_at(&frames, 0);
        if (notice.size == 0 || ((const char *)notice.data)[0] > 1)
            continue; /* not a subscription: XPUB hands on whatever a peer sends */
        subscribes = ((const char *)notice.data)[0] == 1;
        topic = (struct bytes){(const char *)notice.data + 1, notice.size - 1};
        /* What was published before is not for a newcomer. */
        result = iopub_flush(iopub);
        if (result < 0)
            return result;
        /* Fails only when the peer has gone in the meantime. */
        zmq_setsockopt(iopub->socket, subscribes ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE, topic.data,
                       topic.size);
        if (subscribes && iopub->welcomes < WELCOMES_MAX && utf8_is_valid(topic)) {
            iopub->welcomes++;
            iopub->is_welcoming = true;
            iopub->welcome(iopub->context, topic);
            iopub->is_welcoming = false;
        }
    }
    return 0;
}

bool iopub_is_congested(const struct iopub *iopub)
{
    return iopub->bytes > CONGESTED_BYTES || iopub->count > CONGESTED_MESSAGES;
}

void iopub_drain(struct iopub *iopub, int limit_ms)
{
    int64_t end = loop_now_ms() + limit_ms;

    while (send_waiting(iopub) == 0 && iopub->count != 0 && loop_now_ms() < end)
        nanosleep(&(struct timespec){0, RETRY_MS * 1000000L}, NULL);
}
