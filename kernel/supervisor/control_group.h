/*
 * control_group - the session's own cgroup, where the system hands them out
 *
 * cgroup v2 (the kernel's Documentation/admin-guide/cgroup-v2.rst, "Delegation"): below a group that was given to this
 * user, beside the kernel process's own, one is made for the guard and all that it starts. It stands behind the looks
 * of limits.h: what takes memory or starts processes faster than they look, the system stops itself. Where nothing was
 * delegated, which is usual outside of a systemd user session, there is none, and limits are kept without it.
 * Owns the folder in the cgroup file system.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct control_group {
    char *folder;   /* NULL: there is none */
    uint64_t kills; /* by the system, for want of memory, that are known of */
};

/*
 * control_group_find() - where a group may be made; a new string, or NULL with the reason
 *
 * mount  where cgroup v2 is mounted
 * own    the kernel process's group: its path below that
 */
char *control_group_find(const char *mount, const char *own, const char **ret_reason);

/* The same for this process, from /proc. */
char *control_group_find_own(const char **ret_reason);

/*
 * control_group_make() - a group for this process and what it will start
 *
 * parent        from control_group_find()
 * memory_bytes  what all may hold together, page cache included; 0: no limit. A little beyond it they are slowed down,
 *               so that a look comes in time and can say in which line the cell was; far beyond it one is killed
 * tasks         processes and threads; 0: no limit
 *
 * Returns 0 or -errno; then there is none. What the parent does not control is left out.
 */
int control_group_make(struct control_group *group, const char *parent, pid_t pid, uint64_t memory_bytes,
                       long tasks);

/* Whether the system has killed a process of the group for want of memory since this was last asked. */
bool control_group_has_killed(struct control_group *group);

/* Ends what is left in it and removes it. */
void control_group_remove(struct control_group *group);
