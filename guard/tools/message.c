#include "guard/tools/message.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MAGIC 0x4c4f4f54u

struct head {
    uint32_t magic;
    uint32_t type;
    uint32_t tool;
    uint32_t call;
    uint32_t size;
};

struct rule {
    enum tool_party reader;
    size_t descriptors;
    bool has_text;
};

static const struct rule rules[] = {
#define TOOL_MESSAGE(name, to, descriptors, has_text)                                              \
    [TOOL_##name] = {TOOL_TO_##to, descriptors, has_text},
#include "guard/tools/messages.def"
#undef TOOL_MESSAGE
};

union control {
    char bytes[CMSG_SPACE((TOOL_FDS_MAX + 1) * sizeof(int))];
    struct cmsghdr align;
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

int tool_message_parse(struct bytes record, size_t fd_count, enum tool_party reader,
                       struct tool_message *ret_message)
{
    struct head head;
    size_t inline_size;

    forget_descriptors(ret_message);
    if (record.size < sizeof(head))
        return TOOL_E_INVALID;
    memcpy(&head, record.data, sizeof(head));
    if (head.magic != MAGIC || head.type == TOOL_NONE || head.type >= TOOL_MESSAGE_TYPE_COUNT ||
        rules[head.type].reader != reader || head.size > TOOL_TEXT_BYTES ||
        (head.size > 0 && !rules[head.type].has_text))
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

/* Into `ret_fds`; what is beyond the space was closed by the system. */
static size_t take_descriptors(struct msghdr *header, int ret_fds[TOOL_FDS_MAX + 1])
{
    size_t count = 0;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(ret_fds, CMSG_DATA(part), count * sizeof(int));
        break; /* the system puts all of a record into one */
    }
    return count;
}

static void place_descriptors(const int *fds, size_t count, bool has_memory,
                              struct tool_message *message)
{
    for (size_t i = 0; i < count; i++) {
        if (has_memory && i + 1 == count)
            message->memory = fds[i];
        else
            message->fds[i] = fds[i];
    }
}

int tool_message_receive(int socket, enum tool_party reader, int flags,
                         struct tool_message *ret_message)
{
    struct head head;
    union control control;
    struct iovec parts[2] = {{&head, sizeof(head)}, {ret_message->text, sizeof(ret_message->text)}};
    struct msghdr header = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    int fds[TOOL_FDS_MAX + 1];
    char record[sizeof(head) + TOOL_INLINE_BYTES];
    ssize_t size;
    size_t count;
    int result;

    forget_descriptors(ret_message);
    size = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? TOOL_E_AGAIN
               : errno == ECONNRESET                   ? TOOL_E_CLOSED
                                                       : -errno;
    count = take_descriptors(&header, fds);
    if (size == 0 && count == 0)
        return TOOL_E_CLOSED;
    memcpy(record, &head, sizeof(head));
    if ((size_t)size > sizeof(head))
        memcpy(record + sizeof(head), ret_message->text, (size_t)size - sizeof(head));
    result =
        (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0
            ? TOOL_E_INVALID
            : tool_message_parse((struct bytes){record, (size_t)size}, count, reader, ret_message);
    if (result == 0) {
        place_descriptors(fds, count, ret_message->size > TOOL_INLINE_BYTES, ret_message);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    return result;
}

/* -1 with errno. */
static int put_into_memory(struct bytes text)
{
    cleanup_close int memory = memfd_create("safepyrun-tool", MFD_CLOEXEC);
    size_t done = 0;

    while (memory >= 0 && done < text.size) {
        ssize_t count = write(memory, (const char *)text.data + done, text.size - done);

        if (count < 0 && errno != EINTR)
            return -1;
        done += count > 0 ? (size_t)count : 0;
    }
    return steal_fd(&memory);
}

static size_t collect_descriptors(const struct tool_message *message, int memory,
                                  int ret_fds[TOOL_FDS_MAX + 1])
{
    size_t count = 0;

    for (size_t i = 0; i < rules[message->type].descriptors; i++)
        ret_fds[count++] = message->fds[i];
    if (memory >= 0)
        ret_fds[count++] = memory;
    return count;
}

int tool_message_send(int socket, const struct tool_message *message, struct bytes text, int flags)
{
    bool is_own = text.data == NULL;
    size_t size = is_own ? message->size : text.size;
    struct head head = {MAGIC, message->type, message->tool, message->call, (uint32_t)size};
    struct iovec parts[2] = {
        {&head, sizeof(head)},
        {is_own ? (void *)message->text : (void *)text.data, size <= TOOL_INLINE_BYTES ? size : 0}};
    union control control = {.bytes = {0}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    cleanup_close int made = -1;
    int fds[TOOL_FDS_MAX + 1];
    size_t count;

    if (size > TOOL_TEXT_BYTES)
        return -EMSGSIZE;
    if (!is_own && size > TOOL_INLINE_BYTES && (made = put_into_memory(text)) < 0)
        return -errno;
    count = collect_descriptors(message, is_own ? message->memory : made, fds);
    if (count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
                                         .cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.align), fds, count * sizeof(int));
    }
    return sendmsg(socket, &header, flags | MSG_NOSIGNAL) < 0 ? -errno : 0;
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
