/*
 * write_all - bytes into a descriptor that waits
 *
 * Not for the link, whose writer must not wait (guard/link/frame). Who writes into a pipe or a socket
 * ignores SIGPIPE.
 */
#pragma once

#include "guard/link/bytes.h"

/* Returns 0 or -errno, -EAGAIN for a time limit of the socket; some of the bytes may have been written then. */
int write_all(int fd, struct bytes bytes);
