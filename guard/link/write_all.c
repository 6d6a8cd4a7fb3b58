#include "guard/link/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

/* EAGAIN of a descriptor that somebody made non-blocking, as a launcher may the pipe that it shares with us. */
static bool has_waited(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    struct pollfd writable = {.fd = fd, .events = POLLOUT};

    return flags >= 0 && (flags & O_NONBLOCK) != 0 && (poll(&writable, 1, -1) > 0 || errno == EINTR);
}

int write_all(int fd, struct bytes bytes)
{
    const char *data = bytes.data;

    while (bytes.size > 0) {
        ssize_t done = write(fd, data, bytes.size);

        if (done < 0 && (errno == EINTR || (errno == EAGAIN && has_waited(fd))))
            continue;
        if (done < 0)
            return -errno;
        data += done;
        bytes.size -= (size_t)done;
    }
    return 0;
}
