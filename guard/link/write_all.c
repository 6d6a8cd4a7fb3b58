#include "guard/link/write_all.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, struct bytes bytes)
{
    const char *data = bytes.data;

    while (bytes.size > 0) {
        ssize_t done = write(fd, data, bytes.size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        data += done;
        bytes.size -= (size_t)done;
    }
    return 0;
}
