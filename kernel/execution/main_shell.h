/*
 * main_shell - the requests of the main shell: which goes to the guard next, and what stops it
 *
 * One at a time, from the execution queue. Subshells have queues of their own: see subshells.
 */
#pragma once

#include <stdbool.h>

struct kernel;

/* Gives the next waiting request to the guard, if that is ready and has none. Returns 0 or -errno. */
int main_shell_run_next(struct kernel *kernel);

/* The running request has waited for a copy of the guard: now it goes there. Returns 0 or -errno. */
int main_shell_run_again(struct kernel *kernel);

/* Whether user code runs: a cell, or what a comm message calls. */
bool main_shell_runs_cell(const struct kernel *kernel);

/* After an error: "aborted" for the cells that wait, also for those that were sent and not read yet. Returns 0 or -errno. */
int main_shell_abort_queued(struct kernel *kernel);

/* SIGINT for what runs, "aborted" for the cells that wait. Returns 0 or -errno. */
int main_shell_interrupt(struct kernel *kernel);
