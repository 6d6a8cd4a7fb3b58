/*
 * seals - whether another process is under the same restrictions as this one
 *
 * A process below an OS ring cannot take it off: so one that has more or less of it than we is not what
 * it may say that it is. For the two ends of a template's socket; not for telling users apart.
 */
#pragma once

#include <stdbool.h>

/* Whether it is one of this user at the other end, with our seccomp filters and privileges. False as well
   when it is gone. */
bool seals_peer_is_ours(int connection);
