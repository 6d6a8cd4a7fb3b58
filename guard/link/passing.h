/*
 * passing - bytes that bring descriptors along, from one process to another
 *
 * Over a local socket that both processes trust with descriptors; what the bytes mean is the callers'. The
 * sender keeps its descriptors. The receiver owns what came, which is closed unless somebody takes it.
 */
#pragma once

#include "guard/link/bytes.h"
#include "guard/link/cleanup.h"

#include <sys/types.h>

enum { PASSED_MAX = 8 };

struct passed {
    int fds[PASSED_MAX];
    size_t count;
};

#define PASSED_NONE ((struct passed){.count = 0})

/* All bytes and, with the first of them, the descriptors; flags: MSG_DONTWAIT. Returns 0 or -errno. */
int passing_send(int socket, struct bytes bytes, const struct passed *fds, int flags);

/*
 * passing_receive() - what passing_send() has sent
 *
 * size    a message of another kind of socket than a stream may be shorter
 * flags   MSG_DONTWAIT, MSG_WAITALL
 * passed  PASSED_NONE, declared cleanup_passed
 *
 * Returns the number of bytes, 0 at the end, or -errno: nothing has come then, or more than there was room for.
 */
ssize_t passing_receive(int socket, void *bytes, size_t size, int flags, struct passed *passed);

/* The one descriptor that came; -1 when there was none, or another number of them. */
int passed_steal_one(struct passed *passed);
void passed_close(struct passed *passed);

#define cleanup_passed cleanup_with(passed_close)
