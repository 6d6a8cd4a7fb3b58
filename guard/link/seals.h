/*
 * seals - whether another process is under the same restrictions as this one
 *
 * A process below an OS ring cannot take it off: so one that has more or less of it than we is not what
 * it may say that it is. For the two ends of a template's socket; not for telling users apart.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Compares seccomp filters and privileges. False as well for a process that is gone. */
bool seals_are_ours(pid_t pid);
