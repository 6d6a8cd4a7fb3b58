#include "kernel/channels/channels.h"

#include "kernel/channels/binding.h"
#include "kernel/records/log.h"

#include <nss.h>

enum {
    RECEIVE_BITE = 64,            /* messages taken from one socket before the others have their turn */
    RECEIVE_MS = 20,              /* … and how long: to check a large one takes its time */
    RECEIVE_ALL_MS = 500,         /* a stranger could send as fast as we read */
    HOLD_MS = 1,
    HELD_BYTES = 64 * 1024,       /* of replies that wait: no more would save nothing */
};

static void compose(struct channels *channels, const struct outgoing *outgoing, struct frames *frames)
{
    cleanup_buffer struct buffer header = BUFFER_NONE;
    char signature[SIGNATURE_HEX_MAX + 1];
    struct bytes parts[SIGNATURE_FRAMES];

    session_append_header(&channels->session, outgoing->msg_type, &header);
    parts[0] = buffer_bytes(&header);
    parts[1] = outgoing->parent_header.size != 0 ? outgoing->parent_header : BYTES_LITERAL("{}");
    parts[2] = outgoing->metadata.size != 0 ? outgoing->metadata : BYTES_LITERAL("{}");
    parts[3] = outgoing->body != NULL ? buffer_bytes(outgoing->body) : outgoing->content;
    signature_sign(channels->key, parts, signature);
    frames_append(frames, BYTES_LITERAL("<IDS|MSG>"));
    frames_append(frames, bytes_of_string(signature));
    for (int i = 0; i < SIGNATURE_FRAMES - 1; i++)
        frames_append(frames, parts[i]);
    if (outgoing->body != NULL)
        frames_append_buffer(frames, outgoing->body);
    else
        frames_append(frames, outgoing->content);
    for (size_t i = 0; i < outgoing->buffer_count; i++)
        frames_append(frames, outgoing->buffers[i]);
}

static void address(struct channels *channels, const struct message *request,
                    const struct outgoing *outgoing, struct frames *frames)
{
    for (size_t i = 0; i < request->identity_count; i++)
        frames_append(frames, frames_at(&request->frames, i));
    compose(channels, outgoing, frames);
}

static int send_replies(struct channels *channels)
{
    struct router *shell = &channels->routers[CHANNEL_SHELL];

    shell->source.again = shell->source.again || channels->replies.count != 0;
    return replies_send(&channels->replies, shell->socket);
}

/* A client that has the reply has the outputs. */
int channels_flush(struct channels *channels)
{
    int result = iopub_flush(&channels->iopub);

    channels->is_urgent = false;
    return result < 0 ? result : send_replies(channels);
}

static bool is_holding(const struct channels *channels)
{
    return channels->holding.due_ms != 0 && channels->replies.bytes < HELD_BYTES;
}

static int on_held(void *context)
{
    struct channels *channels = context;

    channels->is_urgent = channels->iopub.count != 0 || channels->replies.count != 0;
    return 0;
}

int channels_end_round(struct channels *channels, bool more_to_come)
{
    const struct iopub *iopub = &channels->iopub;

    if (!channels->is_urgent) {
        if (iopub->count != 0 && !iopub->is_full && channels->holding.due_ms == 0)
            loop_timer_start(&channels->holding, HOLD_MS);
        return 0;
    }
    if (more_to_come && is_holding(channels))
        return 0;
    if (more_to_come)
        loop_timer_start(&channels->holding, HOLD_MS);
    else
        loop_timer_stop(&channels->holding);
    return channels_flush(channels);
}

/* Nothing on control has outputs: who asks while a cell takes a whole core waits for nothing else to be sent. */
static int reply_at_once(struct router *router, struct frames *frames)
{
    router->source.again = true;
    return reply_send(frames, router->socket);
}

int channels_reply(struct channels *channels, enum channel channel, const struct message *request,
                   const struct outgoing *outgoing)
{
    cleanup_frames struct frames frames = FRAMES_NONE;

    address(channels, request, outgoing, &frames);
    if (channel != CHANNEL_SHELL)
        return reply_at_once(&channels->routers[channel], &frames);
    channels->is_urgent = true;
    replies_add(&channels->replies, &frames);
    return is_holding(channels) ? 0 : channels_flush(channels);
}

int channels_ask(struct channels *channels, const struct message *request,
                 const struct outgoing *outgoing)
{
    cleanup_frames struct frames frames = FRAMES_NONE;
    int result;

    address(channels, request, outgoing, &frames);
    result = channels_flush(channels); /* what was printed comes before the question */
    return result < 0 ? result : late_peer_send(&channels->asked, request, &frames);
}

void channels_forget_question(struct channels *channels, const struct message *request)
{
    late_peer_forget(&channels->asked, request);
}

int channels_publish_topic(struct channels *channels, struct bytes topic,
                           const struct outgoing *outgoing)
{
    cleanup_frames struct frames frames = FRAMES_NONE;

    frames_append(&frames, topic);
    compose(channels, outgoing, &frames);
    channels->is_urgent = channels->is_urgent || !outgoing->may_wait;
    return iopub_publish(&channels->iopub, &frames);
}

int channels_publish(struct channels *channels, const struct outgoing *outgoing)
{
    char topic[160];
    int length = snprintf(topic, sizeof(topic), "kernel.%s.%s", channels->session.id,
                          outgoing->topic != NULL ? outgoing->topic : outgoing->msg_type);

    return channels_publish_topic(channels, (struct bytes){topic, (size_t)length}, outgoing);
}

char *channels_next_msg_id(const struct channels *channels)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    session_append_msg_id(&channels->session, &text);
    return buffer_steal_string(&text);
}

/* One message from a ROUTER. Returns 0; FRAMES_E_AGAIN; -errno. */
static int receive_message(struct router *router)
{
    struct channels *channels = router->channels;
    cleanup_frames struct frames frames = FRAMES_NONE;
    struct message *message;
    int result = frames_receive(router->socket, &frames);

    if (result == FRAMES_E_TOO_LARGE) {
        log_warning("%s: dropped a message beyond the limits", channel_name(router->channel));
        return 0;
    }
    if (result != 0)
        return result;
    result = message_parse(&frames, channels->key, &message);
    if (result != 0) {
        log_warning("%s: dropped a message: %s", channel_name(router->channel),
                    message_error_text(result));
        return 0;
    }
    return channels->handlers.message(channels->handlers.context, router->channel, message);
}

/* Once EAGAIN was the answer, the descriptor tells of what comes next. */
static int after_reading(struct router *router, int result)
{
    router->source.again = result != FRAMES_E_AGAIN;
    return result == FRAMES_E_AGAIN ? 0 : result;
}

static int on_router(void *context)
{
    struct router *router = context;
    int64_t end = loop_now_ms() + RECEIVE_MS;
    int result = 0;

    /* A client that has subscribed before it asked hears the answer's status messages too. */
    result = iopub_read_subscriptions(&router->channels->iopub);
    for (int i = 0; result == 0 && i < RECEIVE_BITE && (i == 0 || loop_now_ms() < end); i++)
        result = receive_message(router);
    return after_reading(router, result);
}

int channels_read_shell(struct channels *channels)
{
    struct router *shell = &channels->routers[CHANNEL_SHELL];
    int64_t end = loop_now_ms() + RECEIVE_ALL_MS;
    int result = 0;

    if (channels->is_reading_shell) /* what is read here may ask for it again: an interrupt */
        return 0;
    channels->is_reading_shell = true;
    while (result == 0 && loop_now_ms() < end)
        result = receive_message(shell);
    channels->is_reading_shell = false;
    return after_reading(shell, result);
}

/* Echoes whatever comes, as the heartbeat channel is specified. */
static int on_heartbeat(void *context)
{
    struct router *router = context;
    int result = 0;

    for (int i = 0; result == 0 && i < RECEIVE_BITE; i++) {
        cleanup_frames struct frames frames = FRAMES_NONE;

        result = frames_receive(router->socket, &frames);
        if (result == 0)
            result = frames_send(router->socket, &frames);
        if (result == FRAMES_E_TOO_LARGE || result == -EHOSTUNREACH)
            result = 0;
    }
    return after_reading(router, result);
}

static int open_router(struct channels *channels, enum channel channel)
{
    struct router *router = &channels->routers[channel];
    int one = 1;
    int no_limit = 0;

    *router = (struct router){.channel = channel, .channels = channels};
    router->socket = zmq_socket(channels->zmq_context, ZMQ_ROUTER);
    /* HANDOVER: servers reconnect under the identity that they had before. */
    if (router->socket == NULL ||
        zmq_setsockopt(router->socket, ZMQ_ROUTER_HANDOVER, &one, sizeof(one)) < 0 ||
        zmq_setsockopt(router->socket, ZMQ_RCVHWM, &no_limit, sizeof(no_limit)) < 0)
        return -errno;
    /* Replies to a client that pipelines thousands of requests must not be lost either. */
    if (channel != CHANNEL_HEARTBEAT &&
        zmq_setsockopt(router->socket, ZMQ_SNDHWM, &no_limit, sizeof(no_limit)) < 0)
        return -errno;
    router->source = (struct loop_source){
        .socket = router->socket,
        .callback = channel == CHANNEL_HEARTBEAT ? on_heartbeat : on_router,
        .context = router,
    };
    return 0;
}

static void *socket_of(struct channels *channels, enum channel channel)
{
    return channel == CHANNEL_IOPUB ? channels->iopub.socket : channels->routers[channel].socket;
}

static int register_ports(struct channels *channels, const struct connection_file *file,
                          char **ret_error)
{
    int result = handshake_start(&channels->handshake, channels->loop, channels->zmq_context,
                                 channels->key, file);

    if (result == 0)
        return 0;
    *ret_error = xasprintf("cannot register with the launcher at %s, port %d: %s",
                           file->registration_ip, file->registration_port, zmq_strerror(-result));
    return 1;
}

static int bind_all(struct channels *channels, struct connection_file *file, char **ret_error)
{
    bool chose_port = false;

    for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
        chose_port = chose_port || file->ports[channel] == 0;
        if (binding_bind(socket_of(channels, (enum channel)channel), file, (enum channel)channel, ret_error) != 0)
            return 1;
    }
    if (file->response_ip != NULL)
        return gateway_start(&channels->gateway, channels->loop, file, ret_error);
    if (connection_file_wants_registration(file))
        return register_ports(channels, file, ret_error);
    if (chose_port && connection_file_write(file) < 0) {
        *ret_error = xasprintf("cannot rewrite the connection file %s with the chosen ports: %s",
                               file->path, strerror(errno));
        return 1;
    }
    return 0;
}

static int open_sockets(struct channels *channels)
{
    static const enum channel routers[] = {CHANNEL_CONTROL, CHANNEL_STDIN, CHANNEL_SHELL,
                                           CHANNEL_HEARTBEAT};
    int result = iopub_init(&channels->iopub, channels->zmq_context, channels->loop,
                            IOPUB_PATIENCE_MS, channels->handlers.welcome, channels->handlers.context);

    for (size_t i = 0; result == 0 && i < sizeof(routers) / sizeof(routers[0]); i++)
        result = open_router(channels, routers[i]);
    if (result == 0)
        result = late_peer_init(&channels->asked, channels->loop,
                                &channels->routers[CHANNEL_STDIN].source);
    return result;
}

/* In the order in which they are served: a busy shell never keeps control or the heartbeat waiting. */
static void add_sources(struct channels *channels)
{
    loop_add_timer(channels->loop, &channels->holding);
    iopub_listen(&channels->iopub, channels->loop);
    loop_add(channels->loop, &channels->routers[CHANNEL_HEARTBEAT].source);
    loop_add(channels->loop, &channels->routers[CHANNEL_CONTROL].source);
    loop_add(channels->loop, &channels->routers[CHANNEL_STDIN].source);
    loop_add(channels->loop, &channels->routers[CHANNEL_SHELL].source);
}

int channels_open(struct channels *channels, struct loop *loop, struct connection_file *file,
                  const struct channel_handlers *handlers, char **ret_error)
{
    *channels = (struct channels){
        .loop = loop, .handlers = *handlers, .holding = {.callback = on_held, .context = channels}};
    session_init(&channels->session);
    if (signature_key_new(file->signature_scheme, bytes_of_string(file->key), &channels->key) !=
        0) {
        *ret_error = xasprintf("connection file %s: OpenSSL does not know the signature_scheme "
                               "\"%s\"; \"hmac-sha256\" is the usual one",
                               file->path, file->signature_scheme);
        return 1;
    }
    /* libpgm, which libzmq begins with, asks for a protocol's number by name: the system's way looks for a database first,
       with ninety calls in vain (a fortieth of a start). */
    __nss_configure_lookup("protocols", "files");
    channels->zmq_context = zmq_ctx_new();
    if (channels->zmq_context == NULL || open_sockets(channels) < 0) {
        *ret_error = xasprintf("cannot make the sockets: %s", zmq_strerror(errno));
        return 1;
    }
    if (bind_all(channels, file, ret_error) != 0)
        return 1;
    add_sources(channels);
    return 0;
}

void channels_close(struct channels *channels, const struct connection_file *file)
{
    if (channels->zmq_context == NULL)
        return;
    if (channels->iopub.socket != NULL)
        iopub_drain(&channels->iopub, BINDING_LINGER_MS / 2);
    iopub_finish(&channels->iopub, channels->loop);
    replies_finish(&channels->replies);
    loop_remove_timer(channels->loop, &channels->holding);
    late_peer_finish(&channels->asked, channels->loop);
    handshake_finish(&channels->handshake);
    gateway_finish(&channels->gateway);
    for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
        loop_remove(channels->loop, &channels->routers[channel].source);
        if (channels->routers[channel].socket != NULL)
            zmq_close(channels->routers[channel].socket);
    }
    zmq_ctx_term(channels->zmq_context);
    binding_remove_files(file);
    signature_key_free(channels->key);
    session_finish(&channels->session);
    *channels = (struct channels){.zmq_context = NULL};
}
