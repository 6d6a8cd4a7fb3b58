/*
 * keeper - the other end of a guard that is no child of ours
 *
 * A guard from a template is the child of its keeper, which tells how all below it have ended, copies and
 * children of cells included, and ends them when this connection is closed (guard/template/keeper). Of what
 * it tells only the guard's end is kept here.
 */
#pragma once

#include "kernel/loop.h"

#include <sys/types.h>

struct keeper {
    struct loop *loop;
    int fd; /* -1: there is none, the guard is our child */
    struct loop_source source;
    pid_t guard;
    bool has_told; /* how the guard ended */
    int wait_status;
};

#define KEEPER_NONE ((struct keeper){.fd = -1})

/* fd: TAKEN. What is below it counts as ours (process_tree). */
void keeper_open(struct keeper *keeper, struct loop *loop, int fd, pid_t keeper_pid);
void keeper_close(struct keeper *keeper);

/* Whose end is meant from now on: the guard's, or that of a copy which has taken over. */
void keeper_watch(struct keeper *keeper, pid_t guard);

/* How a guard ended that is over, or that SIGKILL is on its way to; as waitpid() says it. */
int keeper_wait_status(struct keeper *keeper);
