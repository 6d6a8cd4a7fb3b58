/*
 * proc - single facts about processes and the machine, from /proc
 *
 * Each function opens, reads and closes one small file, or asks one clock; false means that the process
 * is gone or the file may not be read, which are the same to the caller.
 */
#pragma once

#include "guard/link/buffer.h"

#include <stdint.h>
#include <sys/types.h>

struct proc_times {
    uint64_t started_ticks; /* since boot */
    uint64_t cpu_ticks;     /* user and system, without children */
    uint64_t children_ticks; /* of children that are over */
    long tasks;             /* threads */
};

bool proc_times(pid_t pid, struct proc_times *ret_times);

/* CPU time of all its threads, dead ones too, by the kernel's own fine clock; 0 when it is gone. */
int64_t proc_cpu_ns(pid_t pid);

/* What it holds, pages shared with others included. */
bool proc_rss(pid_t pid, uint64_t *ret_bytes);
/* The same with shared pages counted by their share; takes 16 ms for each GB in small pages. */
bool proc_pss(pid_t pid, uint64_t *ret_bytes);

struct proc_written {
    uint64_t bytes;  /* that its write() calls have taken, to whatever descriptor */
    uint64_t stored; /* bound for a disk, in whole pages, however they were changed */
};

/* With what children that are over have written. Not for others' processes that are not dumpable. */
bool proc_written(pid_t pid, struct proc_written *ret_written);

/* Whose child it is; 0 when it is gone. */
pid_t proc_parent(pid_t pid);

/* Appends the pids of the children of all its threads, as pid_t, to `pids`. */
void proc_children(pid_t pid, struct buffer *pids);

/* Whether more threads want to run, this one included, than the machine has processors. */
bool proc_host_is_crowded(void);

/* CPU time of the whole machine since boot. */
bool proc_host_ticks(uint64_t *ret_busy, uint64_t *ret_total);

struct proc_host_memory {
    uint64_t total, available, free, active, inactive; /* bytes */
};

bool proc_host_memory(struct proc_host_memory *ret_memory);
