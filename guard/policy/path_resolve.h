/*
 * path_resolve - the absolute path that an operation would reach
 *
 * Walks the components itself instead of asking realpath(): the tail may not exist yet, the last link
 * may have to stay, and a link inside /proc that stands for an open file must be told from others.
 * Changes nothing in the file system and opens nothing. Owns nothing.
 */
#pragma once

#include "guard/link/bytes.h"
#include "guard/policy/string_list.h"

#include <limits.h>
#include <stdbool.h>

enum path_follow { PATH_FOLLOW_LAST, PATH_KEEP_LAST };

/*
 * path_resolve() - resolve a path as open() or, keeping the last component, as unlink() would
 *
 * path          any bytes
 * dir_fd        where a relative path starts; AT_FDCWD for the current directory
 * ret_resolved  absolute, without '.', '..' and links; a missing tail is kept as it was written
 * ret_magic     true when a link of /proc was followed that stands for an open file, a root or a
 *               current directory: what it says need not be what an open() reaches
 *
 * Returns 0; -ENAMETOOLONG, -ELOOP, -EINVAL (a NUL byte, nothing at all), -EBADF (bad dir_fd), -ENOENT
 * (the current directory is gone), -EXDEV (a link in /proc of another process stands on the way, or of any in a second /proc).
 */
int path_resolve(struct bytes path, int dir_fd, enum path_follow follow, char ret_resolved[PATH_MAX],
                 bool *ret_magic);

/* Whether it lies in /proc, or in a second one: in a folder for chroot(), or what a container is shown of its machine. */
bool path_shows_processes(const char *path);

/* What was found on the way. NULL where nobody asks. */
struct path_notes {
    struct string_list *links;  /* that were followed, each where it lies */
    struct string_list *places; /* all that a name on the way stands for; of a link, where it lies */
    char plain[PATH_MAX];       /* there is no link in it: what the next path shares with it is not looked at again */
};

/*
 * path_resolve_noting() - path_resolve() from the current directory, following the last link
 *
 * notes  appended to, also for a path without an end. For many paths one after the other, and no longer: what is
 *        remembered may change
 */
int path_resolve_noting(struct bytes path, struct path_notes *notes, char ret_resolved[PATH_MAX], bool *ret_magic);
