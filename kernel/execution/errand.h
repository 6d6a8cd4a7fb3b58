/*
 * errand - a command that the kernel process runs for a cell, after a person's yes
 *
 * Under on_deny = "ask" the guard may send an ERRAND frame: a text for the shell. The kernel process
 * shows it to the person at the client of the running cell (question), and runs on "once" the very bytes
 * that it showed, in the folder that it showed, as a child of its own (supervisor/errand_process). So the
 * most that a hostile guard gains by such a frame is a question. At most one at a time; it ends with the
 * cell at the latest. Always answered with ERRAND_DONE. On record: the question, and how the command
 * ended. Owned by the kernel.
 */
#pragma once

#include "guard/link/errands.h"
#include "guard/link/frame.h"
#include "guard/link/questions.h"
#include "guard/policy/policy.h"
#include "kernel/supervisor/errand_process.h"

struct kernel;

enum errand_state { ERRAND_STATE_NONE, ERRAND_STATE_ASKED, ERRAND_STATE_RUNS };

struct errand {
    /* Of the session, from READY. */
    struct policy *policy; /* which variables are hidden; NULL: no person is asked, there are no errands */
    long seconds;          /* that a question waits */

    /* Of the one that is asked about or runs. */
    enum errand_state state;
    uint32_t cell;
    char *number; /* the guard's */
    char *command;
    char *folder_name;
    int folder;
    bool is_interrupted;
    enum errand_output outputs[2];
    struct buffer kept[2];
    uint64_t written[2];
    int64_t started_ms;
    struct errand_process process;
};

void errand_init(struct kernel *kernel);
void errand_finish(struct kernel *kernel);

/* A guard is ready: what it says of "ask". */
void errand_read_settings(struct kernel *kernel, struct bytes info);

/* ERRAND and ERRAND_END of the running request. Return 0 or -errno. */
int errand_take(struct kernel *kernel, const struct frame *frame);
int errand_take_end(struct kernel *kernel, const struct frame *frame);

/* The question that is open is about it: in words, and when it is answered. Returns 0 or -errno. */
void errand_append_prompt(const struct kernel *kernel, const char *code, struct buffer *prompt);
int errand_answered(struct kernel *kernel, enum question_answer answer);

/* The cell is interrupted. Nothing when none runs. */
void errand_interrupt(struct kernel *kernel);

/* The guard waits no more: it has gone, or gone on. */
void errand_drop(struct kernel *kernel);
