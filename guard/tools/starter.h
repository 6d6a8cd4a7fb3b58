/*
 * starter - the process that tool processes are forked from, outside of both rings
 *
 * Forked from the guard when the policy is known and before set-up files run, a namespace is
 * entered or anything is closed; so it is a fresh Python of one thread that holds nothing of the
 * user's, and so is whatever it forks, also late, when the guard is long sealed. It runs no Python
 * itself. Each tool process runs the set-up files anew and serves one call at a time; calls that
 * come at once get several, those beyond the limit wait. The starter keeps the time, ends who does
 * not obey, tells the guard how a tool process ended, and ends with all below it when the last
 * guard (or copy of one) has closed its end of the bell, or the kernel process is gone.
 *
 * It believes nothing that comes over the bell: see messages.def.
 */
#pragma once

#include "guard/policy/policy.h"

#include <sys/types.h>

/* What a tool process does in Python before it serves: runs the set-up files. 0, or -1 with a
 * sentence in ret_problem, free(). */
typedef int (*starter_setup)(struct policy *policy, char **ret_problem);

/* What all tool processes need; the starter's own copy lives until it ends. */
struct starter_settings {
    struct policy *policy;
    starter_setup setup;
    int records; /* where calls are put on record; -1: nowhere */
};

/*
 * starter_fork() - in the guard
 *
 * settings   records is closed in this process
 * ret_bell   our end, for outside_start()
 *
 * Returns the pid, or -errno.
 */
pid_t starter_fork(const struct starter_settings *settings, int *ret_bell);
