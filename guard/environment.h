/*
 * environment - takes the variables that cells must not see out of the guard process
 *
 * Here and not in the kernel process, which makes the environment: what is passed and hidden stands
 * in policy files, and only Python can read those. So the variables are there until the policy is
 * known, and are then removed from os.environ, posix.environ and the C library, and overwritten in
 * the memory that /proc/self/environ shows. Nothing of the user's has run by then.
 */
#pragma once

#include "guard/policy/policy.h"

#include <Python.h>

/* Returns 0, or -1 with an exception. */
int environment_hide(const struct policy *policy);

/*
 * Variables that keep libraries from what is refused here anyway and that they can do without; one that is set
 * already stays. Under the preset "open" only what keeps frozen copies possible. Returns 0, or -1 with an exception.
 */
int environment_prepare_libraries(const struct policy *policy);
