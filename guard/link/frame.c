#include "guard/link/frame.h"

#include <assert.h>
#include <sys/socket.h>

struct frame_header {
    uint32_t magic;
    uint16_t type;
    uint16_t part_count;
    uint32_t cell;
};

enum {
    FRAME_MAGIC = 0x31525053,      /* "SPR1" */
    READ_BYTES = 64 * 1024,        /* one read from the socket */
    KEEP_BYTES = 4 * 1024 * 1024, /* memory kept between large frames */
};

#define TO_GUARD FRAME_TO_GUARD
#define TO_KERNEL FRAME_TO_KERNEL
#define START FRAME_START
#define ALWAYS FRAME_ALWAYS
#define WITH FRAME_WITH
#define RUNNING FRAME_RUNNING
static const struct frame_rule rules[FRAME_TYPE_COUNT] = {
#define FRAME(name, direction, permitted, min_parts, max_parts)                                    \
    [FRAME_##name] = {#name, direction, permitted, min_parts, max_parts},
#include "guard/link/frame_types.def"
#undef FRAME
};

const struct frame_rule *frame_rule(unsigned type)
{
    if (type == FRAME_INVALID || type >= FRAME_TYPE_COUNT)
        return NULL;
    return &rules[type];
}

void frame_reader_init(struct frame_reader *reader, enum frame_direction direction)
{
    *reader = (struct frame_reader){.direction = direction};
}

void frame_reader_finish(struct frame_reader *reader)
{
    buffer_finish(&reader->received);
    free(reader->parts);
    reader->parts = NULL;
}

/* Only before a read: moving the rest once per read, not once per frame, keeps many small frames cheap. */
static void forget_taken(struct frame_reader *reader)
{
    buffer_drop_front(&reader->received, reader->start);
    reader->start = 0;
    if (reader->received.size == 0)
        buffer_clear(&reader->received, KEEP_BYTES);
}

int frame_reader_fill(struct frame_reader *reader, int fd)
{
    ssize_t count;

    forget_taken(reader);
    buffer_reserve(&reader->received, READ_BYTES);
    count = recv(fd, reader->received.data + reader->received.size,
                 reader->received.capacity - reader->received.size, 0);
    if (count > 0) {
        buffer_commit(&reader->received, (size_t)count);
        reader->total_bytes += (uint64_t)count;
        return 0;
    }
    if (count == 0 || errno == ECONNRESET)
        return LINK_E_CLOSED;
    return errno == EAGAIN ? LINK_E_AGAIN : -errno;
}

static bool header_is_valid(const struct frame_reader *reader, const struct frame_header *header)
{
    const struct frame_rule *rule = frame_rule(header->type);

    return header->magic == FRAME_MAGIC && rule != NULL && rule->direction == reader->direction &&
           header->part_count >= rule->min_parts && header->part_count <= rule->max_parts;
}

static void reserve_parts(struct frame_reader *reader, size_t count)
{
    if (count <= reader->part_capacity)
        return;
    reader->parts = xrealloc(reader->parts, count * sizeof(*reader->parts));
    reader->part_capacity = count;
}

int frame_reader_next(struct frame_reader *reader, struct frame *ret_frame)
{
    const char *start = reader->received.data + reader->start;
    size_t available = reader->received.size - reader->start;
    struct frame_header header;
    size_t head_size;
    size_t total = 0;

    if (available < sizeof(header))
        return LINK_E_AGAIN;
    memcpy(&header, start, sizeof(header));
    if (!header_is_valid(reader, &header))
        return LINK_E_INVALID;
    head_size = sizeof(header) + header.part_count * sizeof(uint32_t);
    if (available < head_size)
        return LINK_E_AGAIN;
    reserve_parts(reader, header.part_count);
    for (size_t i = 0; i < header.part_count; i++) {
        uint32_t size;

        memcpy(&size, start + sizeof(header) + i * sizeof(size), sizeof(size));
        reader->parts[i] = (struct bytes){start + head_size + total, size};
        total += size;
        if (total > FRAME_BYTES_MAX)
            return LINK_E_INVALID;
    }
    if (available - head_size < total) {
        buffer_reserve(&reader->received, head_size + total - available);
        return LINK_E_AGAIN;
    }
    reader->start += head_size + total;
    *ret_frame = (struct frame){header.type, header.cell, header.part_count, reader->parts};
    return 0;
}

bool frame_reader_has_bytes(const struct frame_reader *reader)
{
    return reader->received.size > reader->start;
}

void frame_writer_init(struct frame_writer *writer)
{
    *writer = (struct frame_writer){.sent = 0};
}

void frame_writer_finish(struct frame_writer *writer)
{
    buffer_finish(&writer->pending);
    writer->sent = 0;
}

bool frame_fits(const struct frame *frame)
{
    size_t total = 0;

    for (size_t i = 0; i < frame->part_count; i++) {
        if (frame->parts[i].size > FRAME_BYTES_MAX)
            return false;
        total += frame->parts[i].size;
    }
    return frame->part_count <= FRAME_PARTS_MAX && total <= FRAME_BYTES_MAX;
}

void frame_writer_push(struct frame_writer *writer, const struct frame *frame)
{
    struct frame_header header = {FRAME_MAGIC, (uint16_t)frame->type, (uint16_t)frame->part_count,
                                  frame->cell};

    assert(frame_fits(frame));
    buffer_append(&writer->pending, (struct bytes){&header, sizeof(header)});
    for (size_t i = 0; i < frame->part_count; i++) {
        uint32_t size = (uint32_t)frame->parts[i].size;

        buffer_append(&writer->pending, (struct bytes){&size, sizeof(size)});
    }
    for (size_t i = 0; i < frame->part_count; i++)
        buffer_append(&writer->pending, frame->parts[i]);
}

int frame_writer_flush(struct frame_writer *writer, int fd)
{
    while (writer->sent < writer->pending.size) {
        ssize_t count = send(fd, writer->pending.data + writer->sent,
                             writer->pending.size - writer->sent, MSG_NOSIGNAL);

        if (count < 0 && errno == EAGAIN)
            return LINK_E_AGAIN;
        if (count < 0 && (errno == EPIPE || errno == ECONNRESET))
            return LINK_E_CLOSED;
        if (count < 0)
            return -errno;
        writer->sent += (size_t)count;
    }
    buffer_clear(&writer->pending, KEEP_BYTES);
    writer->sent = 0;
    return 0;
}

size_t frame_writer_pending(const struct frame_writer *writer)
{
    return writer->pending.size - writer->sent;
}
