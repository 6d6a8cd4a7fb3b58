/*
 * children - ending all that is below a process
 *
 * For processes of one thread that were forked to look after others and are subreapers: those below a killed
 * child become their own, so that a few rounds meet all.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

typedef bool children_spared(void *context, pid_t pid);

/* SIGKILL for each child but those that `is_spared` names; NULL: for all. Returns whether there were any. */
bool children_kill(children_spared *is_spared, void *context);

/* Kills and reaps until none is left, then ends this process with status 0. */
void __attribute__((noreturn)) children_end_all(void);
