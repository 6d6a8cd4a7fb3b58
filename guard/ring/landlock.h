/*
 * landlock - the rules of the Landlock LSM: what may be written, what may be read, nothing executed
 *
 * Makes a ruleset; who enforces it on each thread is threads.h. Not for modes, owners, times and
 * attributes of files, which Landlock does not know (mount_view, seccomp). Constants of newer Linux
 * are our own, since the build machine's headers may be older than the kernel that runs.
 * Source: landlock(7); Documentation/userspace-api/landlock.rst.
 */
#pragma once

#include "guard/ring/paths.h"

#include <stdint.h>

/* What an ABI brought. Each right is used when it is there; what is not there is held elsewhere. */
enum landlock_abi {
    LANDLOCK_ABI_REFER = 2,
    LANDLOCK_ABI_TRUNCATE = 3,
    LANDLOCK_ABI_NETWORK = 4,
    LANDLOCK_ABI_IOCTL = 5,
    LANDLOCK_ABI_SCOPE = 6,
    LANDLOCK_ABI_LOG = 7,
    LANDLOCK_ABI_UNIX = 9,
};

/* The ABI of the running Linux; 0 when there is no Landlock or it is switched off. */
int landlock_abi(void);

struct landlock_request {
    const struct ring_paths *paths;
    int abi;               /* cut to this one; tests ask for older ones */
    bool shared_memory;    /* /dev/shm is private: it may be written */
    bool denies_by_rules;  /* paths->denied is left out of what may be read */
};

/*
 * landlock_ruleset_new() - a ruleset for this session
 *
 * Returns a descriptor, close-on-exec; or -errno.
 */
int landlock_ruleset_new(const struct landlock_request *request);

/* Of landlock_restrict_self(): denials stay out of the system's own audit log. */
uint32_t landlock_restrict_flags(int abi);
