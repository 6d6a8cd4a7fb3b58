/*
 * frames - the parts of one ZeroMQ message
 *
 * Owns its zmq_msg_t items. A zmq_msg_t has no constant initial value, so it lives nowhere else.
 * A message received from a stranger is bounded here: how many frames, how many bytes.
 */
#pragma once

#include "guard/link/buffer.h"
#include "guard/link/bytes.h"

#include <zmq.h>

enum {
    FRAMES_MAX = 4096,                      /* of a message that we take in; widgets send one per buffer */
    FRAMES_BYTES_MAX = 512 * 1024 * 1024, /* all frames of one message together */
};

struct frames {
    zmq_msg_t *items;
    size_t count;
    size_t capacity;
    size_t bytes; /* sizes of all items */
};

#define FRAMES_NONE ((struct frames){NULL, 0, 0, 0})

enum {
    FRAMES_E_AGAIN = 1, /* nothing to receive, or the socket takes no more */
    FRAMES_E_TOO_LARGE, /* the message broke a limit; it has been read to its end and thrown away */
};

void frames_finish(struct frames *frames);
#define cleanup_frames cleanup_with(frames_finish)

void frames_append(struct frames *frames, struct bytes bytes);

/* The buffer's memory itself, TAKEN: for what is long. */
void frames_append_buffer(struct frames *frames, struct buffer *buffer);

/* A view of one frame, borrowed. */
struct bytes frames_at(const struct frames *frames, size_t index);

/* frames_receive() - one whole message, without waiting. Returns 0; FRAMES_E_*; -errno. */
int frames_receive(void *socket, struct frames *ret_frames);

/*
 * frames_send() - one whole message, without waiting
 *
 * frames  TAKEN on success; untouched after FRAMES_E_AGAIN
 *
 * Returns 0; FRAMES_E_AGAIN; -errno.
 */
int frames_send(void *socket, struct frames *frames);
