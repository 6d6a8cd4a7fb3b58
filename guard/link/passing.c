#include "guard/link/passing.h"

#include <assert.h>
#include <sys/socket.h>

/* An even number: what is left of the room would take one more descriptor otherwise. */
_Static_assert(CMSG_SPACE(sizeof(int) * PASSED_MAX) == CMSG_LEN(sizeof(int) * PASSED_MAX), "no padding");

union control {
    struct cmsghdr header; /* for its alignment */
    char space[CMSG_SPACE(sizeof(int) * PASSED_MAX)];
};

int passing_send(int socket, struct bytes bytes, const struct passed *fds, int flags)
{
    union control control = {.space = {0}};
    struct iovec part = {(void *)bytes.data, bytes.size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    size_t size = sizeof(int) * fds->count;
    ssize_t sent;

    assert(fds->count <= PASSED_MAX);
    if (size > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), fds->fds, size);
    }
    sent = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
    if (sent < 0)
        return -errno;
    return (size_t)sent == bytes.size ? 0 : -EMSGSIZE;
}

/* There is room in `control` for PASSED_MAX and no more: what came beyond was closed by the system. */
static void take(struct msghdr *message, struct passed *passed)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    size_t size;

    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return;
    size = header->cmsg_len - CMSG_LEN(0);
    memcpy(passed->fds, CMSG_DATA(header), size);
    passed->count = size / sizeof(int);
}

ssize_t passing_receive(int socket, void *bytes, size_t size, int flags, struct passed *passed)
{
    union control control;
    struct iovec part = {bytes, size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t count = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);

    if (count < 0)
        return -errno;
    take(&message, passed);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
        return count;
    passed_close(passed);
    return -EMSGSIZE;
}

int passed_steal_one(struct passed *passed)
{
    if (passed->count != 1)
        return -1;
    passed->count = 0;
    return passed->fds[0];
}

void passed_close(struct passed *passed)
{
    while (passed->count > 0)
        cleanup_close_at(&passed->fds[--passed->count]);
}
