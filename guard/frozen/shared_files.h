/*
 * shared_files - what a frozen copy does with the files that it shares with the living process
 *
 * A copy that held on to a pipe or a socket would keep the other side from seeing its end; one that
 * shared a file would move its offset and hold its lock. So pipes and sockets become dead ends, files
 * are opened anew at the same place, an epoll instance becomes an empty one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Lets go of everything but the standard streams and `kept`. */
void shared_files_detach(const int *kept, size_t count);

/* Whether a file is open for appending: what Python still buffers for it would be written twice. */
bool shared_files_have_append(void);
