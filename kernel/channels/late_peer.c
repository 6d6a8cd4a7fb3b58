#include "kernel/channels/late_peer.h"

#include "kernel/records/log.h"

enum { RETRY_MS = 20 };

static void drop(struct late_message **at)
{
    struct late_message *message = *at;

    *at = message->next;
    frames_finish(&message->frames);
    free(message);
}

/* Returns 0: it is on its way, or given up; FRAMES_E_AGAIN; -errno. */
static int try_to_send(struct late_peer *late, struct late_message *message)
{
    int result = frames_send(late->source->socket, &message->frames);

    if (result != -EHOSTUNREACH && result != FRAMES_E_AGAIN)
        return result;
    if (loop_now_ms() < message->give_up_ms)
        return FRAMES_E_AGAIN;
    log_warning("a message for a peer that is not connected was dropped");
    return 0;
}

static int try_all(struct late_peer *late)
{
    struct late_message **at = &late->first;

    late->source->again = true;
    while (*at != NULL) {
        int result = try_to_send(late, *at);

        if (result == FRAMES_E_AGAIN) {
            loop_timer_start(&late->timer, RETRY_MS);
            at = &(*at)->next;
            continue;
        }
        drop(at);
        if (result < 0)
            return result;
    }
    return 0;
}

static int on_timer(void *context)
{
    return try_all(context);
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
    while (late->first != NULL)
        drop(&late->first);
    loop_remove_timer(loop, &late->timer);
}

int late_peer_send(struct late_peer *late, const void *asker, struct frames *frames)
{
    struct late_message *message = xcalloc(1, sizeof(*message));

    late_peer_forget(late, asker);
    *message = (struct late_message){.next = late->first,
                                     .asker = asker,
                                     .frames = *frames,
                                     .give_up_ms = loop_now_ms() + LATE_PEER_PATIENCE_MS};
    *frames = FRAMES_NONE;
    late->first = message;
    return try_all(late);
}

void late_peer_forget(struct late_peer *late, const void *asker)
{
    struct late_message **at = &late->first;

    while (*at != NULL && (*at)->asker != asker)
        at = &(*at)->next;
    if (*at != NULL)
        drop(at);
}
