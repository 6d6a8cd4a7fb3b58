/*
 * run_session - one piece of code in a guard process of its own, from start to end
 *
 * Starts a guard as the kernel process does, hands it the code, keeps the limits, and collects what comes
 * back. Every run pays for a process; nothing of one is there in the next. What the guard sends is
 * hostile input here as well. Words of the command line and of answers are elsewhere: run.c, run_result.c.
 */
#pragma once

#include "guard/link/buffer.h"
#include "kernel/config/policy_sources.h"

enum { RUN_TIMEOUT_SECONDS = 5, RUN_MEMORY_MB = 256, RUN_OUTPUT_KB = 128 };

/* What the code chooses the length of, in an answer: JSON of the result, text of the error. */
enum { RUN_RESULT_BYTES_MAX = 8 * 1024 * 1024, RUN_ERROR_BYTES_MAX = 64 * 1024 };

/* Exit statuses of runs that did not end by themselves, as timeout(1) and shells have them. */
enum { RUN_EXIT_ERROR = 1, RUN_EXIT_MEMORY = 2, RUN_EXIT_TIMEOUT = 124, RUN_EXIT_NO_GUARD = 125 };

/* How a guard is started; borrowed by run_session_new() alone. */
struct run_start {
    const struct policy_sources *sources;
    const char *python;   /* NULL: that of the installation */
    const char *template; /* the socket of one that may fork the guard; NULL: a process is started */
};

/* Borrowed while the run lasts. */
struct run_settings {
    struct bytes code;
    struct bytes names;   /* JSON: {"names": {…}} */
    long timeout_seconds; /* -1: the policy's, else the default; 0: none */
    long memory_mb;       /* as above */
    long output_kb;       /* as above; of each stream */
    bool streams;         /* output goes to our own descriptors at once, and not into the result */
};

struct run_result {
    bool ok;
    bool timed_out;
    bool resource_exceeded;
    bool interrupted; /* by a signal to this process: nothing more is to be run */
    int exit_code;
    char *error;          /* in words, or NULL; owned */
    struct buffer result; /* JSON; empty: null */
    struct buffer streams[2];
    struct buffer denials; /* JSON objects with "," between them */
};

#define RUN_RESULT_NONE ((struct run_result){.error = NULL})

/* Starts a guard and does not wait for it: it may get ready while nobody has a run for it yet. */
struct run_session *run_session_new(const struct run_start *start);

/*
 * run_session_run() - once
 *
 * ret_result  zero-initialised (RUN_RESULT_NONE); to be finished by run_result_finish()
 *
 * False when the guard never got ready: nothing has run.
 */
bool run_session_run(struct run_session *session, const struct run_settings *settings,
                     struct run_result *ret_result);

/* False when its guard has ended by itself. */
bool run_session_is_alive(const struct run_session *session);

/* Ends the guard; waits until it is gone. */
void run_session_free(struct run_session *session);

void run_result_finish(struct run_result *result);

/* {"ok", "result", "stdout", "stderr", "timed_out", "resource_exceeded", "error", "exit_code", "denials"} */
void run_result_encode(const struct run_result *result, struct buffer *json);

/* The same as a line on standard output; false when nobody can have got it. */
bool run_result_print(const struct run_result *result);
