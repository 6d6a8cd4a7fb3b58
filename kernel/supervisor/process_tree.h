/*
 * process_tree - what the guard and everything that it has started use together
 *
 * The kernel process is a child subreaper: whatever leaves its parent becomes its child, so that the
 * tree below it is complete. Read from /proc; a process that ends meanwhile counts as nothing, and what
 * cannot be read (the I/O figures of a guard that is not dumpable, for an ordinary user) neither.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_tree {
    long tasks;            /* processes and threads */
    uint64_t memory_bytes; /* 0 when it was not asked for */
    uint64_t cpu_ticks;    /* with those of children that are over */
    uint64_t written_bytes; /* by write() and kin, to pipes and sockets too */
    uint64_t stored_bytes;  /* pages that are bound for a disk, by mappings and splice() as well */
};

/* Pids that do not count, with all that is below them. */
struct process_set {
    const pid_t *pids;
    size_t count;
};

/*
 * A guard from a template is not below this process but below its keeper, which counts as nothing itself.
 * 0: there is none. One kernel process has one guard, so this is remembered here.
 */
void process_tree_set_keeper(pid_t keeper);

/* A child that is nothing of the guard's (errand_process.h): it is not measured, but killed with all the rest. 0: none. */
void process_tree_set_apart(pid_t pid);

/*
 * Whether its parent is `other` (0: nobody), or this process or the keeper, where one is whose own has ended. The parent is asked
 * for once: `other` may end meanwhile, and between two questions the child would be nobody's.
 */
bool process_tree_is_child(pid_t pid, pid_t other);

/* All processes below this one. `wants_memory` asks for what takes longest. */
void process_tree_measure(struct process_set excluded, bool wants_memory,
                          struct process_tree *ret_tree);

/* Kills all processes below this one but those, until none is left; gives up after a few rounds. */
void process_tree_kill(struct process_set excluded);
