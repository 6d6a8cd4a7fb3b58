/*
 * message - one Jupyter message as it came off the wire
 *
 * Owns the frames; everything else is a view into them, except the two strings that we act upon.
 * The content is not parsed here: json_text looks into it where a field is needed.
 * Source: messaging 5.6, "The wire protocol" and "General Message Format".
 */
#pragma once

#include "kernel/wire/frames.h"
#include "kernel/wire/signature.h"

enum {
    WIRE_E_TRUNCATED = 1,  /* no delimiter, or fewer frames than a message has */
    WIRE_E_BAD_SIGNATURE,  /* unsigned, wrongly signed */
    WIRE_E_REPLAYED,       /* signed, but seen before */
    WIRE_E_BAD_HEADER,     /* the header is no JSON object with msg_id and msg_type */
};

struct message {
    struct frames frames;
    size_t identity_count; /* frames before the delimiter */
    struct bytes header;   /* raw JSON, the parent header of everything that answers it */
    struct bytes parent_header;
    struct bytes metadata;
    struct bytes content;
    size_t first_buffer; /* index of the first buffer among the frames */
    char *msg_id;
    char *msg_type;
    bool content_is_valid; /* content and metadata are JSON objects in UTF-8 */
};

/*
 * message_parse() - take one signed message off the wire
 *
 * The signature is checked before a byte of JSON is read.
 *
 * frames       all frames of one ZeroMQ message; TAKEN, also on failure
 * ret_message  a new message; message_free()
 *
 * Returns 0; WIRE_E_* when the peer is at fault: drop and log.
 */
int message_parse(struct frames *frames, struct signature_key *key, struct message **ret_message);
void message_free(struct message *message);

size_t message_buffer_count(const struct message *message);
struct bytes message_buffer(const struct message *message, size_t index);

/* What a WIRE_E_* means, for the log. */
const char *message_error_text(int outcome);
