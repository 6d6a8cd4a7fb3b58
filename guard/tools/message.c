#include "guard/tools/message.h"

#include "guard/link/passing.h"
#include "guard/link/write_all.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#define MAGIC 0x4c4f4f54u

struct head {
    uint32_t magic;
    uint32_t type;
    uint32_t tool;
    uint32_t call;
    uint32_t size;
};

struct record {
    struct head head;
    char text[TOOL_INLINE_BYTES];
};

struct rule {
    enum tool_party reader;
    size_t descriptors;
    bool has_text;
};

static const struct rule rules[] = {
#define TOOL_MESSAGE(name, to, descriptors, has_text) [TOOL_##name] = {TOOL_TO_##to, descriptors, has_text},
#include "guard/tools/messages.def"
#undef TOOL_MESSAGE
};

static void forget_descriptors(struct tool_message *message)
{
    for (size_t i = 0; i < TOOL_FDS_MAX; i++)
        message->fds[i] = -1;
    message->memory = -1;
}

void tool_message_finish(struct tool_message *message)
{
    for (size_t i = 0; i < TOOL_FDS_MAX; i++)
        if (message->fds[i] >= 0)
            close(steal_fd(&message->fds[i]));
    if (message->memory >= 0)
        close(steal_fd(&message->memory));
}

int tool_message_parse(struct bytes record, size_t fd_count, enum tool_party reader, struct tool_message *ret_message)
{
    struct head head;
    size_t inline_size;

    forget_descriptors(ret_message);
    if (record.size < sizeof(head))
        return TOOL_E_INVALID;
    memcpy(&head, record.data, sizeof(head));
    if (head.magic != MAGIC || head.type == TOOL_NONE || head.type >= TOOL_MESSAGE_TYPE_COUNT ||
        rules[head.type].reader != reader || head.size > TOOL_TEXT_BYTES || (head.size > 0 && !rules[head.type].has_text))
        return TOOL_E_INVALID;
    inline_size = head.size <= TOOL_INLINE_BYTES ? head.size : 0;
    if (record.size != sizeof(head) + inline_size ||
        fd_count != rules[head.type].descriptors + (head.size > TOOL_INLINE_BYTES ? 1 : 0))
        return TOOL_E_INVALID;
    ret_message->type = (enum tool_message_type)head.type;
    ret_message->tool = head.tool;
    ret_message->call = head.call;
    ret_message->size = head.size;
    memcpy(ret_message->text, (const char *)record.data + sizeof(head), inline_size);
    return 0;
}

static void take_descriptors(struct passed *passed, struct tool_message *message)
{
    if (message->size > TOOL_INLINE_BYTES)
        message->memory = passed->fds[--passed->count];
    memcpy(message->fds, passed->fds, passed->count * sizeof(int));
    passed->count = 0;
}

/* An empty record looks like the end. */
static bool is_over(int socket)
{
    struct pollfd end = {socket, POLLRDHUP, 0};

    return poll(&end, 1, 0) == 1;
}

int tool_message_receive(int socket, enum tool_party reader, int flags, struct tool_message *ret_message)
{
    struct record record;
    cleanup_passed struct passed passed = PASSED_NONE;
    ssize_t size;
    int result;

    forget_descriptors(ret_message);
    size = passing_receive(socket, &record, sizeof(record), flags, &passed);
    if (size == -EAGAIN)
        return TOOL_E_AGAIN;
    if ((size == 0 && is_over(socket)) || size == -ECONNRESET)
        return TOOL_E_CLOSED;
    if (size < 0)
        return size == -EMSGSIZE ? TOOL_E_INVALID : (int)size;
    result = tool_message_parse((struct bytes){&record, (size_t)size}, passed.count, reader, ret_message);
    if (result == 0)
        take_descriptors(&passed, ret_message);
    return result;
}

/* -1 with errno. */
static int put_into_memory(struct bytes text)
{
    cleanup_close int memory = memfd_create("safepyrun-tool", MFD_CLOEXEC);
    int result = memory >= 0 ? write_all(memory, text) : -errno;

    errno = -result;
    return result == 0 ? steal_fd(&memory) : -1;
}

static void lend_descriptors(const struct tool_message *message, int memory, struct passed *passed)
{
    passed->count = rules[message->type].descriptors;
    memcpy(passed->fds, message->fds, passed->count * sizeof(int));
    if (memory >= 0)
        passed->fds[passed->count++] = memory;
}

int tool_message_send(int socket, const struct tool_message *message, struct bytes text, int flags)
{
    bool is_own = text.data == NULL;
    size_t size = is_own ? message->size : text.size;
    size_t inline_size = size <= TOOL_INLINE_BYTES ? size : 0;
    struct record record = {.head = {MAGIC, message->type, message->tool, message->call, (uint32_t)size}};
    cleanup_close int made = -1;
    struct passed passed = PASSED_NONE; /* lent: not closed here */

    if (size > TOOL_TEXT_BYTES)
        return -EMSGSIZE;
    if (!is_own && size > TOOL_INLINE_BYTES && (made = put_into_memory(text)) < 0)
        return -errno;
    memcpy(record.text, is_own ? message->text : text.data, inline_size);
    lend_descriptors(message, is_own ? message->memory : made, &passed);
    return passing_send(socket, (struct bytes){&record, sizeof(record.head) + inline_size}, &passed, flags);
}

/* A file of a cell's choice could make a read() wait for ever; one in memory cannot. */
static bool lies_in_memory(int fd)
{
    return fcntl(fd, F_GET_SEALS) >= 0;
}

int tool_message_text(const struct tool_message *message, struct buffer *ret_text)
{
    size_t done = 0;
    char *place;

    if (message->memory < 0) {
        buffer_append(ret_text, (struct bytes){message->text, message->size});
        return 0;
    }
    if (!lies_in_memory(message->memory))
        return TOOL_E_INVALID;
    place = buffer_reserve(ret_text, message->size);
    while (done < message->size) {
        ssize_t count = pread(message->memory, place + done, message->size - done, (off_t)done);

        if (count == 0 || (count < 0 && errno != EINTR))
            return TOOL_E_INVALID; /* shorter than it said */
        done += count > 0 ? (size_t)count : 0;
    }
    buffer_commit(ret_text, done);
    return 0;
}
