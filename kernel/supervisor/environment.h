/*
 * environment - the variables that a process of ours is started with
 *
 * A list of "NAME=value", grown an item at a time. Not for which they are: spawn (guards) and execution/errand_environment
 * (commands) say so.
 */
#pragma once

#include "guard/link/cleanup.h"

#include <stddef.h>

struct environment {
    char **items; /* NULL-terminated, strings owned; NULL while there is none */
    size_t count;
};

#define ENVIRONMENT_NONE ((struct environment){NULL, 0})
#define cleanup_environment cleanup_with(environment_finish)

/* item: TAKEN. */
void environment_add(struct environment *environment, char *item);
void environment_finish(struct environment *environment);
