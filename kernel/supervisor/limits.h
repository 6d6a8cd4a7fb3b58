/*
 * limits - the clocks of [limits], and what is done when one runs out
 *
 * Kept by the kernel process, because code that is limited must not keep its own clock. Three means:
 * the system's (resource limits that are set from here, which Python meets as exceptions), a clock for
 * the time of a cell, and a look at the guard's processes every quarter of a second while a cell runs.
 * A cell beyond a limit is interrupted, and killed with its guard when it does not end in time; one
 * that takes memory or starts processes is killed at once. Behind the looks stands a cgroup where there can be one
 * (control_group.h). Not for words: see execution/breach.
 */
#pragma once

#include "guard/policy/policy.h"
#include "kernel/loop.h"
#include "kernel/supervisor/control_group.h"
#include "kernel/supervisor/guard_process.h"

enum limit {
    LIMIT_NONE,
    LIMIT_TIMEOUT,
    LIMIT_CPU,
    LIMIT_MEMORY,
    LIMIT_WRITES,
    LIMIT_PROCESSES,
    LIMIT_INTERRUPT, /* none of [limits]: it took no notice of one, and a person wants it ended */
};

enum limit_stage {
    LIMIT_WATCHED,
    LIMIT_INTERRUPTED, /* SIGINT is out; grace_seconds run */
    LIMIT_LOOKED_AT,   /* the guard was asked where it is; it dies in a moment */
    LIMIT_KILLED,
};

struct limits {
    struct guard_process *guard;
    struct policy_limits values;
    bool is_running;       /* a request is with the guard */
    enum limit breached;   /* by the request that runs, or ran last */
    enum limit_stage stage;
    int looked_at;         /* how often it was looked whether the guard has written down where it is */
    long timeout_seconds;  /* of the request that runs; 0: none */
    int64_t left_ms;       /* of it, while the clock stands still */
    uint64_t ticks_before; /* of CPU time, and what was written to files, when the request began */
    int64_t written_before;
    uint64_t stored_before;
    struct loop_timer clock;
    struct loop_timer watch;
    struct control_group group;
};

void limits_init(struct limits *limits, struct loop *loop, struct guard_process *guard);
/* After the guard's end. */
void limits_finish(struct limits *limits);

/* The values that READY tells; what is missing or odd is no limit. */
void limits_read(struct bytes info, struct policy_limits *ret_values);

/* A guard is ready: what the system enforces is set for its process, for good. */
void limits_set(struct limits *limits, const struct policy_limits *values);

/*
 * Around each request that the guard works on.
 *
 * deadline_seconds  what its sender asked for; the policy's timeout_seconds holds where it is shorter.
 *                   0: the policy's alone
 */
void limits_begin(struct limits *limits, long deadline_seconds);
void limits_end(struct limits *limits);

/*
 * What the process as a whole uses, while something runs in a subshell and nothing in the main shell: from
 * limits_begin_look() on. Returns the limit that is exceeded, or LIMIT_NONE.
 */
void limits_begin_look(struct limits *limits);
enum limit limits_look(const struct limits *limits);

/* The stricter one of two times; 0 is none. */
long limits_shorter(long a, long b);

/* While a person is asked something, the time of the cell does not run. */
void limits_pause(struct limits *limits);
void limits_resume(struct limits *limits);

/* The guard has died: whether it was the system that ended it, for its cgroup's memory. */
void limits_heed_death(struct limits *limits);

/* Ends the guard of the request that runs, as after a limit. */
void limits_end_deaf(struct limits *limits);

/* The name of a limit as policies spell it, and its value; for what was breached. */
const char *limits_name(enum limit limit);
long limits_value(const struct limits *limits, enum limit limit);
