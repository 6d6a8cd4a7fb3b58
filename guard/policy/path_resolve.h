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
 * (the current directory is gone).
 */
int path_resolve(struct bytes path, int dir_fd, enum path_follow follow, char ret_resolved[PATH_MAX],
                 bool *ret_magic);

/* Appends the links that are followed on the way, each where it lies; those of a path without an end, too. */
void path_links(struct bytes path, struct string_list *links);
