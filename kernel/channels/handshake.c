#include "kernel/channels/handshake.h"

#include "kernel/records/log.h"
#include "kernel/wire/frames.h"
#include "kernel/wire/json_text.h"

#define DELIMITER "<IDS|MSG>"

/* Ports are strings here, as the document has them. */
static void append_content(const struct connection_file *file, struct buffer *content)
{
    buffer_append_string(content, "{\"kernel_id\":");
    json_text_append_string(content, bytes_of_string(file->kernel_id));
    for (int channel = 0; channel < CHANNEL_COUNT; channel++) {
        cleanup_free char *member = xasprintf(",\"%s_port\":\"%d\"",
                                              channel_name((enum channel)channel),
                                              file->ports[channel]);

        buffer_append_string(content, member);
    }
    buffer_append_char(content, '}');
}

/* Only the content is signed: there is no header here. */
static void append_signed(struct handshake *handshake, struct bytes content, struct frames *frames)
{
    struct bytes parts[SIGNATURE_FRAMES] = {content};
    char signature[SIGNATURE_HEX_MAX + 1];

    signature_sign(handshake->key, parts, signature);
    frames_append(frames, BYTES_LITERAL(DELIMITER));
    frames_append(frames, bytes_of_string(signature));
    frames_append(frames, content);
}

/* The delimiter may stand behind identities of the launcher's own. */
static bool is_acknowledgement(struct handshake *handshake, const struct frames *frames)
{
    for (size_t i = 0; i + 2 < frames->count; i++) {
        struct bytes parts[SIGNATURE_FRAMES] = {frames_at(frames, i + 2)};

        if (bytes_equal_string(frames_at(frames, i), DELIMITER))
            return signature_check(handshake->key, parts, frames_at(frames, i + 1)) == 0;
    }
    return false;
}

static void stop(struct handshake *handshake)
{
    if (handshake->socket == NULL)
        return;
    loop_timer_stop(&handshake->timer);
    loop_remove_timer(handshake->loop, &handshake->timer);
    loop_remove(handshake->loop, &handshake->source);
    zmq_close(handshake->socket);
    handshake->socket = NULL;
}

static int on_answer(void *context)
{
    struct handshake *handshake = context;
    cleanup_frames struct frames frames = FRAMES_NONE;
    int result = frames_receive(handshake->socket, &frames);

    if (result == FRAMES_E_AGAIN)
        return 0;
    if (result != 0 || !is_acknowledgement(handshake, &frames)) {
        log_error("the launcher's acknowledgement is not signed with the key of the registration file");
        return -EBADMSG;
    }
    log_info("registered with the launcher");
    stop(handshake);
    return 0;
}

static int on_timeout(void *context)
{
    (void)context;
    log_error("the launcher has not acknowledged the registration in %d s",
              HANDSHAKE_TIMEOUT_MS / 1000);
    return -ETIMEDOUT;
}

static int connect_socket(struct handshake *handshake, void *zmq_context,
                          const struct connection_file *file)
{
    cleanup_free char *endpoint = connection_file_registration_endpoint(file);
    int linger = 0;
    int ipv6 = 1;

    handshake->socket = zmq_socket(zmq_context, ZMQ_DEALER);
    if (handshake->socket == NULL ||
        zmq_setsockopt(handshake->socket, ZMQ_LINGER, &linger, sizeof(linger)) < 0 ||
        zmq_setsockopt(handshake->socket, ZMQ_IPV6, &ipv6, sizeof(ipv6)) < 0 ||
        zmq_connect(handshake->socket, endpoint) < 0)
        return -errno;
    return 0;
}

int handshake_start(struct handshake *handshake, struct loop *loop, void *zmq_context,
                    struct signature_key *key, const struct connection_file *file)
{
    cleanup_frames struct frames frames = FRAMES_NONE;
    cleanup_buffer struct buffer content = BUFFER_NONE;
    int result;

    *handshake = (struct handshake){.loop = loop, .key = key};
    result = connect_socket(handshake, zmq_context, file);
    if (result != 0) {
        if (handshake->socket != NULL)
            zmq_close(handshake->socket);
        handshake->socket = NULL;
        return result;
    }
    handshake->source = (struct loop_source){.socket = handshake->socket,
                                             .callback = on_answer,
                                             .context = handshake};
    handshake->timer = (struct loop_timer){.callback = on_timeout, .context = handshake};
    loop_add(loop, &handshake->source);
    loop_add_timer(loop, &handshake->timer);
    loop_timer_start(&handshake->timer, HANDSHAKE_TIMEOUT_MS);
    append_content(file, &content);
    append_signed(handshake, buffer_bytes(&content), &frames);
    return frames_send(handshake->socket, &frames) == 0 ? 0 : -EAGAIN;
}

void handshake_finish(struct handshake *handshake)
{
    stop(handshake);
}
