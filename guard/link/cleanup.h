/*
 * cleanup - ownership that shows where the variable is declared
 *
 * A pointer or descriptor declared with `cleanup_*` is owned by its block and released when the
 * block ends, on every path; any other is borrowed. steal() gives ownership away.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_at(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_close_at(const int *fd)
{
    if (*fd >= 0) {
        int saved = errno;

        close(*fd);
        errno = saved;
    }
}

static inline void cleanup_file_at(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

#define cleanup_with(function) __attribute__((cleanup(function)))
#define cleanup_free cleanup_with(cleanup_free_at)
#define cleanup_close cleanup_with(cleanup_close_at)
#define cleanup_file cleanup_with(cleanup_file_at)

/* Gives the value away and leaves NULL behind. */
#define steal(pointer)                                                                             \
    ({                                                                                             \
        __typeof__(pointer) stolen_ = (pointer);                                                   \
        (pointer) = NULL;                                                                          \
        stolen_;                                                                                   \
    })

/* The same for a descriptor, which leaves -1 behind. */
static inline int steal_fd(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}
