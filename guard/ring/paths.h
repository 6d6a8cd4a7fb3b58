/*
 * paths - what the policy says about files, as lists of resolved paths for the parts of the ring
 *
 * The interpreter ring asks one path at a time; the system wants everything said beforehand. So "."
 * means here the directory in which the session started: a cell that changes the directory stays in
 * a write root, and the ring's "." stays where it was. Roots that do not exist yet are made, because
 * nothing could make them later. `struct ring_paths` owns its strings.
 */
#pragma once

#include "guard/policy/policy.h"

struct ring_paths {
    bool guards_writes;
    bool guards_reads;
    long memory_mb;               /* what /dev/shm may hold; 0: as the system has it */
    struct string_list roots;     /* may be written */
    struct string_list read_only; /* exist, lie below a root, and stay as they are */
    struct string_list denied;    /* exist and may not be read */
    struct string_list readable;  /* if guards_reads: all that may be read beside the roots */
};

/* policy: sealed. */
void ring_paths_init(struct ring_paths *paths, const struct policy *policy);
/* Everything may be read and written. */
void ring_paths_open(struct ring_paths *paths);
void ring_paths_finish(struct ring_paths *paths);

/* Is `path` the folder itself, or does it lie below? Both absolute and resolved. */
bool ring_path_is_below(const char *path, const char *folder);
/* Is it one of these, or below one? */
bool ring_path_is_in(const char *path, const struct string_list *folders);
