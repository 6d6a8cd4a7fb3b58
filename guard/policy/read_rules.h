/*
 * read_rules - may this path be read?
 *
 * deny_read and the secrets of the session first, then read_roots where the policy has them; memory
 * and environment of processes never. The audit hook asks for each file that is opened, so there
 * are two short ways before the walk over all links (measured for open() and close(), 3.4 us in
 * all: the walk adds 3.7, the second way 1.5, the first 0.1):
 *
 *   installed packages  a path below their folders is free without a system call, where no cell can
 * write there and nothing denied is near: nobody but the user can have put a link there known
 * folders       a path whose folder was found to be far from anything denied costs two calls: it
 *                       must still be the same folder (device and inode), and the last name no link
 *
 * Pure C; the memory of folders belongs to the process and is used with the GIL.
 */
#pragma once

#include "guard/policy/policy.h"

enum read_answer {
    READ_ALLOWED,
    READ_DENIED,  /* deny_read, or a secret of the session */
    READ_OUTSIDE, /* not below read_roots */
    READ_PROCESS, /* the environment or the memory of a process */
    READ_DEVICE,  /* a terminal, a disk, a camera … */
    READ_UNRESOLVED,
};

/* Whether the policy restricts reading at all. */
static inline bool read_rules_exist(const struct policy *policy)
{
    return policy->read_denied != NULL || policy->read_allowed != NULL;
}

/* Finds the folders of the first short way. Part of policy_seal(). */
void read_rules_prepare(struct policy *policy);

/*
 * read_rules_ask() - judge one path, as open() would follow it
 *
 * dir_fd        where a relative path starts; AT_FDCWD for the current directory
 * ret_resolved  PATH_MAX bytes: the path that was compared; not touched when the answer was quick
 *
 * A path that we cannot resolve may be open to the system all the same: it joins no texts of links, so they can be longer
 * than a path; it starts in a folder that is gone, or deeper than a path can say. READ_UNRESOLVED, but for what no system takes.
 */
enum read_answer read_rules_ask(const struct policy *policy, struct bytes path, int dir_fd,
                                char ret_resolved[PATH_MAX]);
