/*
 * frame - the unit that crosses the link between the kernel process and the guard process
 *
 * Both processes run on one machine and are built together, so the header is a C struct in host
 * byte order: struct frame_header, then `part_count` sizes of 32 bits, then the parts. What a frame
 * means is in frame_types.def. Sizes are checked against limits before anything is allocated.
 *
 * A reader owns the bytes it has received; the frame it returns borrows them until the next call.
 * A writer owns what was pushed and not yet taken by the socket, so that an interrupted or
 * non-blocking write never leaves half a frame behind. Neither blocks and neither locks.
 */
#pragma once

#include "guard/link/buffer.h"
#include "guard/link/bytes.h"

#include <stdint.h>

#define FRAME_MANY 1024
#define FRAME_PARTS_MAX (FRAME_MANY)
#define FRAME_BYTES_MAX ((size_t)512 * 1024 * 1024) /* all parts together */
#define FRAME_JSON_DEPTH_MAX 256                     /* of parts that are JSON: lists and objects in each other */

enum frame_type {
    FRAME_INVALID = 0,
#define FRAME(name, direction, permitted, min_parts, max_parts) FRAME_##name,
#include "guard/link/frame_types.def"
#undef FRAME
    FRAME_TYPE_COUNT
};

enum frame_direction { FRAME_TO_GUARD, FRAME_TO_KERNEL };
enum frame_permitted { FRAME_START, FRAME_ALWAYS, FRAME_WITH, FRAME_RUNNING };

/* One row of frame_types.def. */
struct frame_rule {
    const char *name;
    enum frame_direction direction;
    enum frame_permitted permitted;
    unsigned min_parts;
    unsigned max_parts;
};

struct frame {
    enum frame_type type;
    uint32_t cell; /* 0 where no request is meant */
    size_t part_count;
    const struct bytes *parts; /* borrowed */
};

enum {
    LINK_E_AGAIN = 1, /* no complete frame yet, or the socket takes no more now */
    LINK_E_CLOSED,    /* the other side is gone */
    LINK_E_INVALID,   /* not a frame: unknown type, too many parts, too large, wrong direction */
};

/* The row of a type, or NULL for a number that is no frame type. */
const struct frame_rule *frame_rule(unsigned type);

struct frame_reader {
    enum frame_direction direction; /* what may arrive here */
    struct buffer received;
    uint64_t total_bytes; /* that ever came */
    size_t start;    /* where in `received` the next frame begins */
    struct bytes *parts;
    size_t part_capacity;
};

void frame_reader_init(struct frame_reader *reader, enum frame_direction direction);
void frame_reader_finish(struct frame_reader *reader);

/*
 * frame_reader_fill() - read once from the socket
 *
 * Returns 0 when bytes came; LINK_E_AGAIN; LINK_E_CLOSED; -errno (-EINTR included).
 */
int frame_reader_fill(struct frame_reader *reader, int fd);

/*
 * frame_reader_next() - take the next frame out of what has been received
 *
 * ret_frame  borrowed until the next call on this reader
 *
 * Returns 0; LINK_E_AGAIN when more bytes are needed; LINK_E_INVALID, after which the reader is of
 * no use: bytes from a peer that breaks the framing cannot be believed again.
 */
int frame_reader_next(struct frame_reader *reader, struct frame *ret_frame);

/* Whether bytes are waiting that frame_reader_next() has not looked at. */
bool frame_reader_has_bytes(const struct frame_reader *reader);

struct frame_writer {
    struct buffer pending;
    size_t sent; /* bytes of `pending` that the socket has taken */
};

void frame_writer_init(struct frame_writer *writer);
void frame_writer_finish(struct frame_writer *writer);

/* Copies the frame behind what is pending. Parts beyond the limits are our own mistake: assert. */
void frame_writer_push(struct frame_writer *writer, const struct frame *frame);

/* Whether the limits let this frame pass. */
bool frame_fits(const struct frame *frame);

/*
 * frame_writer_flush() - give the socket as much as it takes
 *
 * Returns 0 when nothing is pending; LINK_E_AGAIN; LINK_E_CLOSED; -errno (-EINTR included).
 */
int frame_writer_flush(struct frame_writer *writer, int fd);

/* Bytes that still wait. */
size_t frame_writer_pending(const struct frame_writer *writer);
