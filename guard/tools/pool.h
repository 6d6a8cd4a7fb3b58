/*
 * pool - the tool processes of a starter, and the calls that they run or that wait
 *
 * Part of the starter: what happens to a call, without the question where the events come from
 * (starter.c). All tables have a fixed size, so that nothing that a cell sends makes them grow.
 */
#pragma once

#include "guard/tools/message.h"

#include <sys/types.h>

enum { POOL_PROCESSES_MAX = 8, POOL_CALLS_MAX = 64 };

struct tool_process;

struct tool_call {
    struct tool_call *next; /* the list is in the order of arrival */
    struct tool_message
        *message; /* CALL as it came; its connection stays here, so that the end can be told */
    struct tool_process *process; /* NULL: it waits */
    uint32_t number;
    int64_t due_ms; /* 0: never; while it waits: from when on a process is started for it */
    bool is_ending; /* interrupted; what comes next is SIGKILL */
    bool is_told;   /* the guard knows why there is no answer, or does not want one */
    bool has_begun; /* the tool process has set the time limit */
};

struct tool_process {
    pid_t pid;   /* 0: free */
    int control; /* socket; -1 */
    struct tool_call *call;
};

struct pool {
    struct tool_process processes[POOL_PROCESSES_MAX];
    struct tool_call *first;
    size_t call_count;
    uint32_t last_number;
    int records;         /* -1: none */
    struct buffer names; /* as SERVE said them */
    long cpu_seconds;    /* for the words about SIGXCPU */
};

/* Returns only in the starter. 0 or -errno. */
typedef int (*pool_start_process)(void *context, struct tool_process *process);

void pool_init(struct pool *pool, int records, long cpu_seconds);

/* A CALL from the bell; TAKEN, also when it is refused. */
void pool_add(struct pool *pool, struct tool_message *call);
/* Gives calls that wait to processes that are free, and starts some. */
void pool_assign(struct pool *pool, pool_start_process start, void *context);

/* One message from a tool process. */
void pool_hear(struct pool *pool, struct tool_process *process);
/* The guard's end of a connection is closed. */
void pool_cancel(struct pool *pool, struct tool_call *call);
/* A child has ended: a tool process, or something that one has left behind. */
void pool_take_end(struct pool *pool, pid_t pid, int status);

/* What is due, and when the next one is: milliseconds from now; -1 for never. */
int pool_tick(struct pool *pool);

/* The process of this pid or NULL. */
struct tool_process *pool_find(struct pool *pool, pid_t pid);
