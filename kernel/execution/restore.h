/*
 * restore - the session goes back: after the guard's death, by %rewind and %guard reset, after a trial
 *
 * Decides when frozen copies are taken: when the guard has been idle for a moment, so that a copy costs
 * no cell any time, and half a second later at most when others wait for a processor (fifty kernels that
 * start together); and, while one request follows the other, seldom enough to cost next to nothing.
 * How copies work is in supervisor/copies. History, execution count and audit log are the kernel
 * process's own and go on.
 */
#pragma once

#include "kernel/execution/request.h"
#include "kernel/loop.h"

/* Part of the kernel. */
struct restore {
    struct loop_timer idle_timer;
    int64_t idle_since_ms; /* loop_now_ms() */
    bool waits; /* the running request is a trial that waits for its copy */
    bool tries; /* the running request is a trial */
};

void restore_init(struct kernel *kernel);

/* A fresh guard is ready; `info` as it says so. */
void restore_start(struct kernel *kernel, struct bytes info);

/* Before a request goes to the guard: it may be time for a copy. */
void restore_before_request(struct kernel *kernel, const struct request *request);
/* It went. */
void restore_note_request(struct kernel *kernel, const struct request *request);

/* Nothing waits for the guard. */
void restore_when_idle(struct kernel *kernel);

/*
 * restore_after_death() - let a copy take over
 *
 * Returns a new sentence that says what is lost; NULL when there is no copy. The guard is ready then.
 */
char *restore_after_death(struct kernel *kernel);

/* For %rewind. Returns a new sentence; `ret_failed` says that nothing has changed. */
char *restore_rewind(struct kernel *kernel, long cells, bool *ret_failed);
/* For %guard reset. Returns a new sentence; without a copy of the start the caller has to respawn. */
char *restore_reset(struct kernel *kernel, bool *ret_respawns);

/*
 * restore_begin_trial() - the running request shall leave nothing behind
 *
 * Returns true when the guard may have it now; else request_type.run is called again when there is a
 * copy, or the request is refused.
 */
bool restore_begin_trial(struct kernel *kernel);
/* The trial that waits for its copy is given up. Returns it, to be closed; NULL: none waits. */
struct request *restore_take_waiting(struct kernel *kernel);
/* It is over, its reply is out. Returns 0 or -errno. */
int restore_end_trial(struct kernel *kernel);
