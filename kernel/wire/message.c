#include "kernel/wire/message.h"

#include "kernel/wire/json_text.h"

enum { IDENTITIES_MAX = 16 };

static const struct bytes delimiter = {"<IDS|MSG>", 9};

static int find_delimiter(const struct frames *frames, size_t *ret_index)
{
    for (size_t i = 0; i < frames->count && i <= IDENTITIES_MAX; i++) {
        if (bytes_equal(frames_at(frames, i), delimiter)) {
            *ret_index = i;
            return 0;
        }
    }
    return WIRE_E_TRUNCATED;
}

static char *header_string(const struct message *message, const char *key)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    if (!json_text_member_string(message->header, key, &text))
        return NULL;
    return buffer_steal_string(&text);
}

/*
 * Only called for bytes whose signature was right. Without a JSON library: the header goes back to
 * the client as it came, also with a number in it that would not fit one.
 */
static int read_header(struct message *message)
{
    if (!json_text_is_object(message->header, JSON_TEXT_LENIENT))
        return WIRE_E_BAD_HEADER;
    message->msg_id = header_string(message, "msg_id");
    message->msg_type = header_string(message, "msg_type");
    return message->msg_id != NULL && message->msg_type != NULL ? 0 : WIRE_E_BAD_HEADER;
}

static int check_signature(const struct message *message, size_t index, struct signature_key *key)
{
    const struct bytes parts[SIGNATURE_FRAMES] = {message->header, message->parent_header,
                                                  message->metadata, message->content};

    switch (signature_check(key, parts, frames_at(&message->frames, index))) {
    case 0:
        return 0;
    case SIGNATURE_E_REPLAYED:
        return WIRE_E_REPLAYED;
    default:
        return WIRE_E_BAD_SIGNATURE;
    }
}

static int read_frames(struct message *message, struct signature_key *key)
{
    const struct frames *frames = &message->frames;
    size_t index;
    int result = find_delimiter(frames, &index);

    if (result != 0)
        return result;
    if (frames->count < index + 2 + SIGNATURE_FRAMES)
        return WIRE_E_TRUNCATED;
    message->identity_count = index;
    message->header = frames_at(frames, index + 2);
    message->parent_header = frames_at(frames, index + 3);
    message->metadata = frames_at(frames, index + 4);
    message->content = frames_at(frames, index + 5);
    message->first_buffer = index + 6;
    result = check_signature(message, index + 1, key);
    if (result == 0)
        result = read_header(message);
    return result;
}

int message_parse(struct frames *frames, struct signature_key *key, struct message **ret_message)
{
    struct message *message = xcalloc(1, sizeof(*message));
    int result;

    message->frames = *frames;
    *frames = FRAMES_NONE;
    result = read_frames(message, key);
    if (result != 0) {
        message_free(message);
        return result;
    }
    message->content_is_valid = json_text_is_object(message->content, JSON_TEXT_LENIENT) &&
                                json_text_is_object(message->metadata, JSON_TEXT_LENIENT);
    *ret_message = message;
    return 0;
}

void message_free(struct message *message)
{
    if (message == NULL)
        return;
    frames_finish(&message->frames);
    free(message->msg_id);
    free(message->msg_type);
    free(message);
}

size_t message_buffer_count(const struct message *message)
{
    return message->frames.count - message->first_buffer;
}

struct bytes message_buffer(const struct message *message, size_t index)
{
    return frames_at(&message->frames, message->first_buffer + index);
}

const char *message_error_text(int outcome)
{
    switch (outcome) {
    case WIRE_E_TRUNCATED:
        return "truncated: frames are missing";
    case WIRE_E_BAD_SIGNATURE:
        return "its signature is missing or wrong";
    case WIRE_E_REPLAYED:
        return "replayed: its signature was seen before";
    case WIRE_E_BAD_HEADER:
        return "its header has no msg_id and msg_type";
    default:
        return "unknown outcome";
    }
}
