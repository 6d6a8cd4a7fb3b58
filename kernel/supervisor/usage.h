/*
 * usage - the figures of a usage_reply: CPU and memory of the kernel and of its machine
 *
 * Read from /proc in a few hundred microseconds, inside the kernel process, so that a front end's
 * gauge works while a cell holds the interpreter. Not for limits: those have their own clocks.
 * A process that ends while it is being read counts as nothing.
 *
 * CPU figures are averages since the call before; on the first call, since each process started
 * and since the machine did. Another call within USAGE_INTERVAL_MIN_MS gets the same averages:
 * two front ends that poll must not turn each other's figures into noise.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    USAGE_INTERVAL_MIN_MS = 200,
    USAGE_PROCESSES_MAX = 1024, /* what is beyond is not counted */
};

struct usage_process {
    pid_t pid;
    uint64_t started_ticks; /* since boot: tells a process from a later one with its number */
    uint64_t cpu_ticks;
};

struct usage {
    struct usage_process *processes; /* as of the last sample */
    size_t process_count;
    uint64_t sampled_ms; /* since boot; 0 before the first sample */
    uint64_t host_busy_ticks;
    uint64_t host_total_ticks;
    double kernel_cpu;
    double host_cpu_percent;
};

#define USAGE_NONE ((struct usage){0})

void usage_finish(struct usage *usage);

/*
 * usage_to_json() - the content of a usage_reply, without its status
 *
 * pids  the kernel process first, then the guard's; their descendants are found here
 *
 * kernel_cpu is a sum over processes, so more than 100 with several cores; kernel_memory is in
 * bytes, pages shared with others counted by their share (PSS), or RSS where the system does not
 * tell and for a single large process. Fields whose source cannot be read are left out.
 *
 * Returns a new object. Source: messaging 5.6, "Kernel usage"; names as in psutil.
 */
json_t *usage_to_json(struct usage *usage, const pid_t *pids, size_t count);
