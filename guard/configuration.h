/*
 * configuration - what CONFIGURE says, read and checked
 *
 * The policy of the kernel process, the policy files over it, what they want to be there in the
 * first cell. In the interpreter that is still trusted. Owns all in it.
 */
#pragma once

#include "guard/audit/policy_files.h"
#include "guard/link/frame.h"

struct configuration {
    char *shell;
    struct policy *policy;       /* configuration_finish() leaves what was taken with steal() */
    struct policy_result result; /* what else the files say */
};

/* Returns 0, or -1 with a sentence in ret_problem; free(). The frame is not needed afterwards. */
int configuration_read(const struct frame *frame, struct configuration *ret_configuration,
                       char **ret_problem);
void configuration_finish(struct configuration *configuration);
