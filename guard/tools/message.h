/*
 * message - what crosses the sockets between the guard, the starter and the tool processes
 *
 * One SOCK_SEQPACKET record a message, so that none is ever cut or mixed with another. A text that
 * is long lies in a memory file that comes as the last descriptor. Sizes are checked before
 * anything is read, and what is no message of messages.def in this direction is invalid: the reader
 * closes the socket. Pure C. Not for JSON: what a text says is read in Python, by the process that
 * it is meant for.
 */
#pragma once

#include "guard/link/buffer.h"

#include <stdint.h>

enum {
    TOOL_INLINE_BYTES = 16 * 1024,      /* of a text; a longer one lies in a memory file */
    TOOL_TEXT_BYTES = 16 * 1024 * 1024, /* the longest */
    TOOL_FDS_MAX = 3,
};

enum tool_message_type {
    TOOL_NONE = 0,
#define TOOL_MESSAGE(name, to, descriptors, has_text) TOOL_##name,
#include "guard/tools/messages.def"
#undef TOOL_MESSAGE
    TOOL_MESSAGE_TYPE_COUNT
};

enum tool_party { TOOL_TO_STARTER, TOOL_TO_PROCESS, TOOL_TO_GUARD };

/* Why a call has no answer. */
enum tool_end {
    TOOL_END_DIED,    /* the tool process ended */
    TOOL_END_LATE,    /* the time limit */
    TOOL_END_BUSY,    /* too many calls wait */
    TOOL_END_INVALID, /* the call was no call */
};

enum {
    TOOL_E_AGAIN = 1, /* nothing there yet */
    TOOL_E_CLOSED,    /* the other side is gone */
    TOOL_E_INVALID,   /* not a message of this direction, or more than may be */
};

struct tool_message {
    enum tool_message_type type;
    uint32_t tool;                /* number of a tool; seconds in BEGUN; enum tool_end in ENDED */
    uint32_t call;                /* number of a call, given by the starter */
    uint32_t size;                /* of the text */
    char text[TOOL_INLINE_BYTES]; /* when it is short */
    int fds[TOOL_FDS_MAX];        /* owned; -1 where there is none */
    int memory;                   /* the long text; owned; -1 */
};

/* Of a message that was received: closes what nobody has taken out with steal_fd(). */
void tool_message_finish(struct tool_message *message);

/* The header of a record, and how many descriptors came: 0 or TOOL_E_INVALID. Fills all but
 * descriptors. */
int tool_message_parse(struct bytes record, size_t fd_count, enum tool_party reader,
                       struct tool_message *ret_message);

/*
 * tool_message_receive() - the next one
 *
 * ret_message  finish it, also after TOOL_E_INVALID
 *
 * Returns 0; TOOL_E_AGAIN on a socket that does not wait; TOOL_E_CLOSED; TOOL_E_INVALID; -errno.
 */
int tool_message_receive(int socket, enum tool_party reader, int flags,
                         struct tool_message *ret_message);

/*
 * tool_message_send() - one record
 *
 * message  its descriptors and memory file are lent; `text` counts instead of its own text unless
 * data is NULL
 *
 * Returns 0; -EMSGSIZE when the text is too long; -errno.
 */
int tool_message_send(int socket, const struct tool_message *message, struct bytes text, int flags);

/* The whole text of a received message, wherever it lies. Returns 0 or TOOL_E_INVALID. */
int tool_message_text(const struct tool_message *message, struct buffer *ret_text);
