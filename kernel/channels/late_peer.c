#include "kernel/channels/late_peer.h"

#include "kernel/records/log.h"

enum { RETRY_MS = 20 };

static int try_to_send(struct late_peer *late)
{
    int result;

    late->source->again = true;
    result = frames_send(late->source->socket, &late->frames);
    if (result == 0)
        return 0;
    if ((result == -EHOSTUNREACH || result == FRAMES_E_AGAIN) && loop_now_ms() < late->give_up_ms) {
        loop_timer_start(&late->timer, RETRY_MS);
        return 0;
    }
    late_peer_forget(late);
    if (result < 0 && result != -EHOSTUNREACH)
        return result;
    log_warning("a message for a peer that is not connected was dropped");
    return 0;
}

static int on_timer(void *context)
{
    return try_to_send(context);
}

int late_peer_init(struct late_peer *late, struct loop *loop, struct loop_source *source)
{
    int one = 1;

    *late = (struct late_peer){.source = source};
    late->timer = (struct loop_timer){.callback = on_timer, .context = late};
    loop_add_timer(loop, &late->timer);
    return zmq_setsockopt(source->socket, ZMQ_ROUTER_MANDATORY, &one, sizeof(one)) == 0 ? 0 : -errno;
}

void late_peer_finish(struct late_peer *late, struct loop *loop)
{
    late_peer_forget(late);
    loop_remove_timer(loop, &late->timer);
}

int late_peer_send(struct late_peer *late, struct frames *frames)
{
    late_peer_forget(late);
    late->frames = *frames;
    *frames = FRAMES_NONE;
    late->give_up_ms = loop_now_ms() + LATE_PEER_PATIENCE_MS;
    return try_to_send(late);
}

void late_peer_forget(struct late_peer *late)
{
    loop_timer_stop(&late->timer);
    frames_finish(&late->frames);
}
