/*
 * session_command - cells that speak to the kernel process: %rewind, %guard reset, %trial
 *
 * They change which process the guard is, so the guard cannot run them. A cell is one of them when it
 * holds nothing else; %trial and %%trial are followed by what is tried.
 */
#pragma once

#include "guard/link/bytes.h"

struct kernel;
struct request;

enum session_command {
    COMMAND_NONE,
    COMMAND_REWIND,
    COMMAND_RESET,
    COMMAND_TRIAL,
};

struct session_command_found {
    enum session_command command;
    long cells;        /* %rewind; 1 when it names no number */
    struct bytes body; /* %trial: what is tried, in the code that was looked at */
};

/* What a cell is; `code` is decoded. */
struct session_command_found session_command_find(struct bytes code);

/* Runs %rewind or %guard reset as the running request, and closes it. Returns 0 or -errno. */
int session_command_run(struct kernel *kernel, const struct session_command_found *found);
