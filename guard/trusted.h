/*
 * trusted - what the user trusts, run before the guard closes
 *
 * config.py, the set-up files and the process of their tools. Whatever fails here fails the guard: see
 * failed. What a set-up file is and how it is run is setup's, how tools run outside is tools/'s.
 */
#pragma once

#include "guard/configuration.h"

#include <Python.h>

#include <sys/types.h>

/* First of all, while this process holds nothing of the user's. Returns the bell for trusted_run(); -1 where no
   set-up file could want one. */
int trusted_fork_tools(struct policy *policy, int link_fd);

/*
 * trusted_run() - secrets out of the environment, then everything that runs
 *
 * Before the shell, whose modules may look at the environment, and whose streams belong to cells.
 *
 * bell  of trusted_fork_tools(); TAKEN
 *
 * Returns the names that the first cell finds; a new dict.
 */
PyObject *trusted_run(const struct configuration *configuration, int bell);

/* The process that tool processes are forked from; 0: no set-up file has registered any. */
pid_t trusted_starter(void);
