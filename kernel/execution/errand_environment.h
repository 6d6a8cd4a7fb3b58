/*
 * errand_environment - what a command that is run for a cell finds in its environment
 *
 * The kernel process's own variables without those that the policy hides from cells: what the command
 * prints, the cell reads. Nothing that a cell has set is there.
 */
#pragma once

#include "guard/policy/policy.h"

struct errand_environment {
    char **items; /* NULL-terminated, strings owned */
    size_t count;
};

#define ERRAND_ENVIRONMENT_NONE ((struct errand_environment){NULL, 0})

void errand_environment_make(const struct policy *policy, struct errand_environment *ret_environment);
void errand_environment_finish(struct errand_environment *environment);
#define cleanup_errand_environment cleanup_with(errand_environment_finish)
