/*
 * errand_process - a command that the kernel process runs itself, outside of both rings
 *
 * A child of our own, not of the guard: /bin/sh -c TEXT in a given folder and environment, in a session
 * and process group of its own, stdin /dev/null, none of our descriptors. Its output is handed over as it
 * comes; when the shell has ended, what it left in its group is killed, so that nothing outlives it there.
 * Never waited for: all of it is sources of the loop. Not for whether it may run: execution/errand.
 */
#pragma once

#include "guard/link/bytes.h"
#include "kernel/loop.h"
#include "kernel/supervisor/output_pipes.h"

#include <sys/types.h>

/* Each returns 0 or -errno. */
struct errand_handlers {
    output_pipe_bytes *output;
    int (*ended)(void *context, int wait_status); /* after all output; it is none any more */
    void *context;
};

struct errand_process {
    struct loop *loop;
    struct errand_handlers handlers;
    pid_t pid; /* also its process group; 0: there is none */
    int pidfd;
    struct output_pipes outputs; /* one of them when stderr is joined */
    struct loop_source pid_source;
    struct loop_timer kill_timer;
    struct loop_timer reap_timer;
    pid_t group; /* of the last one: what it left behind are children of ours now (we are the subreaper) */
    bool is_ending; /* SIGINT is out */
};

struct errand_settings {
    const char *text;
    char *const *environment;
    int folder;  /* a descriptor, borrowed */
    bool joined; /* stderr goes where stdout goes */
};

void errand_process_init(struct errand_process *process, struct loop *loop,
                         const struct errand_handlers *handlers);

/* Returns 0 or -errno: then there is none. */
int errand_process_start(struct errand_process *process, const struct errand_settings *settings);

/* SIGINT to its group, SIGKILL a moment later or when called again; `ended` follows. Nothing when there is none. */
void errand_process_end(struct errand_process *process);

/* SIGKILL to its group, and `ended` does not follow. Nothing when there is none. */
void errand_process_drop(struct errand_process *process);

/* Whether its output is taken; false makes it wait. */
void errand_process_set_paused(struct errand_process *process, bool paused);
