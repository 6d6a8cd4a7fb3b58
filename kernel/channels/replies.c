#include "kernel/channels/replies.h"

#include "kernel/records/log.h"

static void clear(struct replies *replies)
{
    for (size_t i = 0; i < replies->count; i++)
        frames_finish(&replies->waiting[i]);
    replies->count = 0;
    replies->bytes = 0;
}

void replies_finish(struct replies *replies)
{
    clear(replies);
    free(replies->waiting);
    *replies = (struct replies){.waiting = NULL};
}

void replies_add(struct replies *replies, struct frames *frames)
{
    if (replies->count == replies->capacity) {
        replies->capacity = replies->capacity != 0 ? replies->capacity * 2 : 16;
        replies->waiting = xrealloc(replies->waiting, replies->capacity * sizeof(*replies->waiting));
    }
    replies->bytes += frames->bytes;
    replies->waiting[replies->count++] = *frames;
    *frames = FRAMES_NONE;
}

/* A ROUTER drops what is for a peer that has gone, and what a peer does not read. */
int reply_send(struct frames *frames, void *socket)
{
    int result = frames_send(socket, frames);

    if (result != FRAMES_E_AGAIN && result != -EHOSTUNREACH)
        return result;
    log_warning("a reply for a peer that does not read was dropped");
    frames_finish(frames);
    return 0;
}

int replies_send(struct replies *replies, void *socket)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < replies->count; i++)
        result = reply_send(&replies->waiting[i], socket);
    clear(replies);
    return result;
}
