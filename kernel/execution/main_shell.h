/*
 * main_shell - the requests of the main shell: which goes to the guard next, and what stops it
 *
 * One at a time, from the execution queue. Subshells have queues of their own: see subshells.
 */
#pragma once

#include <stdbool.h>

struct kernel;
struct request;

/* Gives the next waiting request to the guard, if that is ready and has none. Returns 0 or -errno. */
int main_shell_run_next(struct kernel *kernel);

/* The running request has waited for a copy of the guard: now it goes there. Returns 0 or -errno. */
int main_shell_run_again(struct kernel *kernel);

/* Whether user code runs: a cell, or what a comm message calls. */
bool main_shell_runs_cell(const struct kernel *kernel);

/*
 * Before a reply that stops the cells behind it: takes in those that were sent by now, for queue_abort_executes() after the
 * reply. What is sent in answer to the reply is not stopped by it. Returns 0 or -errno.
 */
int main_shell_read_before_error(struct kernel *kernel);

/* SIGINT for what runs, "aborted" for the cells that wait. Returns 0 or -errno. */
int main_shell_interrupt(struct kernel *kernel);
