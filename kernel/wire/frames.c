#include "kernel/wire/frames.h"

void frames_finish(struct frames *frames)
{
    for (size_t i = 0; i < frames->count; i++)
        zmq_msg_close(&frames->items[i]);
    free(frames->items);
    *frames = FRAMES_NONE;
}

/* Items are moved when the array grows: zmq_msg_t must not be copied by realloc(). */
static zmq_msg_t *next_item(struct frames *frames)
{
    if (frames->count == frames->capacity) {
        size_t capacity = frames->capacity != 0 ? frames->capacity * 2 : 8;
        zmq_msg_t *items = xcalloc(capacity, sizeof(*items));

        for (size_t i = 0; i < frames->count; i++) {
            zmq_msg_init(&items[i]);
            zmq_msg_move(&items[i], &frames->items[i]);
        }
        free(frames->items);
        frames->items = items;
        frames->capacity = capacity;
    }
    return &frames->items[frames->count];
}

void frames_append(struct frames *frames, struct bytes bytes)
{
    zmq_msg_t *item = next_item(frames);

    if (zmq_msg_init_size(item, bytes.size) < 0)
        abort();
    if (bytes.size != 0)
        memcpy(zmq_msg_data(item), bytes.data, bytes.size);
    frames->count++;
    frames->bytes += bytes.size;
}

static void free_memory(void *memory, void *hint)
{
    (void)hint;
    free(memory);
}

void frames_append_buffer(struct frames *frames, struct buffer *buffer)
{
    zmq_msg_t *item = next_item(frames);
    size_t size = buffer->size;

    if (zmq_msg_init_data(item, steal(buffer->data), size, free_memory, NULL) < 0)
        abort();
    *buffer = BUFFER_NONE;
    frames->count++;
    frames->bytes += size;
}

struct bytes frames_at(const struct frames *frames, size_t index)
{
    return (struct bytes){zmq_msg_data(&frames->items[index]), zmq_msg_size(&frames->items[index])};
}

/* Reads the rest of a message that is not wanted. */
static void skip_rest(void *socket)
{
    zmq_msg_t rest;
    int more = 1;

    while (more) {
        zmq_msg_init(&rest);
        more = zmq_msg_recv(&rest, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&rest);
        zmq_msg_close(&rest);
    }
}

int frames_receive(void *socket, struct frames *ret_frames)
{
    cleanup_frames struct frames frames = FRAMES_NONE;
    bool more = true;

    while (more) {
        zmq_msg_t *item = next_item(&frames);
        int size;

        zmq_msg_init(item);
        do {
            size = zmq_msg_recv(item, socket, ZMQ_DONTWAIT);
        } while (size < 0 && errno == EINTR);
        if (size < 0) {
            int error = errno;

            zmq_msg_close(item);
            return error == EAGAIN ? FRAMES_E_AGAIN : -error;
        }
        frames.count++;
        frames.bytes += (size_t)size;
        more = zmq_msg_more(item);
        if (frames.count > FRAMES_MAX || frames.bytes > FRAMES_BYTES_MAX) {
            if (more)
                skip_rest(socket);
            return FRAMES_E_TOO_LARGE;
        }
    }
    *ret_frames = frames;
    frames = FRAMES_NONE;
    return 0;
}

int frames_send(void *socket, struct frames *frames)
{
    for (size_t i = 0; i < frames->count; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < frames->count ? ZMQ_SNDMORE : 0);

        while (zmq_msg_send(&frames->items[i], socket, flags) < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN)
                return -errno;
            if (i == 0)
                return FRAMES_E_AGAIN;
            /* libzmq takes the rest of a message that it has begun; waiting here is a formality. */
            flags &= ~ZMQ_DONTWAIT;
        }
    }
    frames_finish(frames);
    return 0;
}
