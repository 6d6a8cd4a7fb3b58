/*
 * audit_log - what was run and what was refused, for whoever looks into it later
 *
 * JSON lines, appended by the kernel process, where no cell can reach: when a session starts and
 * ends, every cell (the SHA-256 of its source, not the source), its refusals (as many as denials.h says, and
 * how many there were), what a debugger had run, steps of tools outside, commands, questions with their answers. Kernels of one user share the
 * file; a line is one write(). Beyond the size limit it becomes FILE.1 and a new one begins. A full
 * disk costs lines, never a cell. Owns the descriptor. Not the log for the operator (log.h).
 */
#pragma once

#include "guard/link/bytes.h"

#include <stdbool.h>
#include <sys/types.h>

struct audit_log;

enum { AUDIT_LOG_BYTES_MAX = 16 * 1024 * 1024 };

/* Below $XDG_STATE_HOME; a new string, NULL when there is no home folder. */
char *audit_log_default_path(void);

/* path: NULL keeps nothing. Opens nothing yet. Tests choose a smaller `limit_bytes`. */
struct audit_log *audit_log_new(const char *path, off_t limit_bytes);
/* Takes NULL. */
void audit_log_free(struct audit_log *log);

/* Makes the folder and the file (0600). Returns 0 or -errno; a later line tries again. */
int audit_log_open(struct audit_log *log);

/* Why lines are lost: a new string once an outage, otherwise NULL. */
char *audit_log_take_warning(struct audit_log *log);

struct audit_session {
    const char *id; /* of the session on the wire */
    pid_t guard_pid;
    const char *python; /* version */
    const char *preset;
    const char *policy_file; /* NULL: none */
    const char *os_ring; /* JSON, checked before: what holds and what is missing */
};

/* The guard is ready: the lines that follow belong to this session. */
void audit_log_start_session(struct audit_log *log, const struct audit_session *session);
/* reason: "shutdown", or how the guard ended. Once for each start; without one nothing is written.
 */
void audit_log_end_session(struct audit_log *log, const char *reason);

struct audit_cell {
    int execution_count;
    struct bytes source;
    const char *status; /* "ok", "error", "died" */
    bool silent;
    double wall_ms;
    double cpu_ms;
    long denial_count;
};

void audit_log_cell(struct audit_log *log, const struct audit_cell *cell);

/* What a person had run in a debugger: the command that carried it. execution_count: of the cell that stood still, or 0. */
void audit_log_debugger(struct audit_log *log, int execution_count, const char *command,
                        struct bytes source);

/* refusal: one JSON object on one line, checked before. execution_count: 0 when no cell runs. */
void audit_log_denial(struct audit_log *log, int execution_count, struct bytes refusal);
/* The same for a step of a tool that runs outside. */
void audit_log_tool(struct audit_log *log, int execution_count, struct bytes step);
/* The same for a command that was run for a cell, when it has ended. */
void audit_log_command(struct audit_log *log, int execution_count, struct bytes command);
/* The same for a question that was asked, with its answer. */
void audit_log_question(struct audit_log *log, int execution_count, struct bytes question);
