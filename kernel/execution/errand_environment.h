/*
 * errand_environment - what a command that is run for a cell finds in its environment
 *
 * The kernel process's own variables without those that the policy hides from cells: what the command
 * prints, the cell reads. Nothing that a cell has set is there.
 */
#pragma once

#include "guard/policy/policy.h"
#include "kernel/supervisor/environment.h"

/* environment: empty before */
void errand_environment_make(const struct policy *policy, struct environment *environment);
