/*
 * channels - the five sockets of a kernel
 *
 * Owns the ZeroMQ context and the sockets, binds them as the connection file says, and signs and
 * sends what the rest of the kernel process composes. Nobody else touches a socket.
 * Source: messaging 5.6, "Messages on the shell (ROUTER/DEALER) channel" and its siblings.
 */
#pragma once

#include "kernel/channels/gateway.h"
#include "kernel/channels/handshake.h"
#include "kernel/channels/iopub.h"
#include "kernel/channels/late_peer.h"
#include "kernel/channels/replies.h"
#include "kernel/loop.h"
#include "kernel/wire/connection_file.h"
#include "kernel/wire/message.h"
#include "kernel/wire/session.h"

/* Who takes what arrives. Each returns 0 or -errno. */
struct channel_handlers {
    int (*message)(void *context, enum channel channel, struct message *message); /* TAKEN */
    void (*welcome)(void *context, struct bytes subscription);
    void *context;
};

struct router {
    enum channel channel;
    struct channels *channels;
    void *socket; /* owned */
    struct loop_source source;
};

struct channels {
    struct loop *loop;
    void *zmq_context;
    struct router routers[CHANNEL_COUNT]; /* shell, control, stdin and heartbeat; iopub's is unused */
    struct iopub iopub;
    struct replies replies;       /* on shell */
    struct loop_timer holding;    /* on: what is to be sent waits for more; channels_end_round() */
    bool is_urgent;               /* something waits that does not merely say how a request on control went */
    bool is_reading_shell;  /* channels_read_shell() is under way */
    struct late_peer asked; /* input_requests that are on their way */
    struct handshake handshake;
    struct gateway gateway;
    struct signature_key *key;
    struct session session;
    struct channel_handlers handlers;
};

/* A message to be sent, borrowed for the call. */
struct outgoing {
    const char *msg_type;
    const char *topic;          /* on iopub, after the kernel's id; NULL: msg_type */
    struct bytes parent_header; /* raw JSON; empty: {} */
    struct bytes metadata;      /* raw JSON; empty: {} */
    struct bytes content;       /* raw JSON */
    struct buffer *body;        /* instead of content: a long one, TAKEN when it is sent */
    const struct bytes *buffers;
    size_t buffer_count;
    bool may_wait; /* on iopub: for a millisecond or two, should nothing else be published */
};

/*
 * channels_open() - make and bind all five, and say which ports were chosen: the connection file is
 * rewritten if one was 0, or the launcher is told (handshake.h, gateway.h)
 *
 * ret_error  on failure a new sentence; free()
 *
 * Returns 0 or 1.
 */
int channels_open(struct channels *channels, struct loop *loop, struct connection_file *file,
                  const struct channel_handlers *handlers, char **ret_error);
/* Sends what waits for at most about a second, closes, removes the files of ipc. */
void channels_close(struct channels *channels, const struct connection_file *file);

/* Answers `request`'s sender, identities first. A peer that has gone is no error; on shell it may wait for the round's end.
   Returns 0 or -errno. */
int channels_reply(struct channels *channels, enum channel channel, const struct message *request,
                   const struct outgoing *outgoing);

/*
 * channels_ask() - ask `request`'s sender something, on stdin
 *
 * A sender that is not connected there yet gets it as soon as it is, within LATE_PEER_PATIENCE_MS.
 *
 * Returns 0 or -errno.
 */
int channels_ask(struct channels *channels, const struct message *request,
                 const struct outgoing *outgoing);
/* A question for this request that has not been sent yet is over. */
void channels_forget_question(struct channels *channels, const struct message *request);

/* Publishes on iopub. Returns 0 or -errno. */
int channels_publish(struct channels *channels, const struct outgoing *outgoing);

/* The same under a topic that the caller chooses. */
int channels_publish_topic(struct channels *channels, struct bytes topic,
                           const struct outgoing *outgoing);

/* Sends what was published, and then what was answered on shell. Returns 0 or -errno. */
int channels_flush(struct channels *channels);

/*
 * channels_end_round() - send what this round of the loop has published, or let it wait for more
 *
 * more_to_come  further requests wait behind the one that runs. What answers the next ones then goes together, a millisecond
 *               or two after what was sent last. What may wait does so in any case.
 *
 * Returns 0 or -errno.
 */
int channels_end_round(struct channels *channels, bool more_to_come);

/* The msg_id that the next message will carry, to recognise its answer; a new string. */
char *channels_next_msg_id(const struct channels *channels);

/* Takes in all that has arrived on shell by now. Returns 0 or -errno. */
int channels_read_shell(struct channels *channels);
