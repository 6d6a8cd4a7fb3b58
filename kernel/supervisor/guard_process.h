/*
 * guard_process - the guard, seen from the kernel process
 *
 * Starts it, talks frames with it, drains its stdout and stderr pipes, interrupts it, notices its
 * end and cleans up behind it. What it sends is hostile input: frames that the table does not
 * permit end it. What frames mean is not known here: see execution/.
 */
#pragma once

#include "guard/link/aside.h"
#include "guard/link/frame.h"
#include "kernel/config/policy_sources.h"
#include "kernel/loop.h"
#include "kernel/supervisor/keeper.h"
#include "kernel/supervisor/output_pipes.h"
#include "kernel/supervisor/process_tree.h"
#include "kernel/supervisor/spawn.h"
#include "kernel/supervisor/tool_records.h"

#include <sys/types.h>

enum guard_state {
    GUARD_STARTING, /* until READY */
    GUARD_READY,
    GUARD_FAILED, /* it said why it cannot start, or ended before READY */
    GUARD_DEAD,
};

/* Each returns 0 or -errno. */
struct guard_handlers {
    int (*ready)(void *context, const struct frame *frame); /* READY */
    int (*frame)(void *context, const struct frame *frame);
    int (*output)(void *context, enum frame_type stream, struct bytes bytes); /* fd 1 or 2 */
    tool_record *tool_record; /* NULL: not wanted */
    int (*ended)(void *context); /* after all that it had written was handled */
    void *context;
};

/* How to start it; borrowed until guard_process_start() returns. */
struct guard_settings {
    const char *python; /* NULL: the Python that is embedded */
    const char *shell;
    struct bytes policy; /* as policy_encode() wrote it */
    const struct policy_sources *policy_files;
    const char *private_directory; /* for temporary and cache files */
};

struct guard_process {
    struct loop *loop;
    struct guard_handlers handlers;
    enum guard_state state;
    pid_t pid;  /* also its process group; 0 when there is none */
    int pidfd;
    bool is_forked; /* from a template: also when it is over */
    struct spawned asked; /* of a template, and not taken yet */
    struct keeper keeper;
    int link;
    int last_line;  /* memory file where a guard writes down where it is; kept for all of them */
    struct output_pipes outputs; /* like the three below, kept for a copy that takes over */
    struct tool_records records;
    struct frame_reader reader;
    struct frame_writer writer;
    struct loop_source link_source;
    struct loop_source pid_source;
    int copies_socket; /* where it takes the links of its copies from */
    int aside_socket;  /* where it is asked while a cell runs */
    struct process_set spared; /* copies: they outlive it; kept by copies */
    void (*note_spared)(void *context); /* it is over: the last chance to set them */
    void *note_context;
    pid_t listener;    /* the process that has been told to listen there; 0: none */
    uint32_t request;  /* that its main thread was given last; kept by execution/ */
    bool thaws;        /* it was a copy, and has not yet said that it is the guard */
    bool paused;       /* its output is not read: iopub is congested */
    uint64_t output_bytes; /* that came through its pipes */
    bool link_is_over; /* closed by it, or not believed any more */
    bool ending;       /* what it left is read to the end, congested or not */
    struct buffer last_words; /* what it wrote to stderr before READY, the end of it */
    char *failure;     /* why it could not start or broke the rules; owned */
    int wait_status;   /* of waitpid(), once it has ended */
};

void guard_process_init(struct guard_process *guard, struct loop *loop,
                        const struct guard_handlers *handlers);

/*
 * Asks the template at this socket for the process that guard_process_start() takes: what is done in between costs
 * no time. Returns whether it has been asked.
 */
bool guard_process_ask(struct guard_process *guard, const char *template, const char *private_directory);

/* Starts a process. On failure `failure` says why and the state is GUARD_FAILED. */
void guard_process_start(struct guard_process *guard, const struct guard_settings *settings);

/*
 * guard_process_adopt() - a frozen copy is the guard from now on
 *
 * The one before is killed if it lives; its output pipes are the copy's too. Copies become children
 * of this process when that one is dead.
 *
 * pidfd  of the copy, which is the first of its group; TAKEN
 * link   our end of its link; TAKEN
 */
void guard_process_adopt(struct guard_process *guard, pid_t pid, int pidfd, int link);

/* Sends a frame, or queues what the socket does not take. A dead guard takes everything silently. */
void guard_process_send(struct guard_process *guard, const struct frame *frame);

/* The same for what the guard itself has asked for, maybe again and again: one that does not read its answers is condemned. */
void guard_process_answer(struct guard_process *guard, const struct frame *frame);

/* Reads everything that the guard has written to its fds 1 and 2. Returns 0 or -errno. */
int guard_process_drain_outputs(struct guard_process *guard);

/*
 * SIGINT to the guard's process, exactly once. Only while it works on a request, which the signal's value names: the guard may
 * have answered it meanwhile, and have the next one by the time the signal is there.
 */
void guard_process_interrupt(struct guard_process *guard);

/*
 * guard_process_ask_aside() - a question that does not wait for the cell that runs: guard/link/aside.h
 *
 * content  at most ASIDE_BYTES_MAX
 *
 * Returns whether it is on its way.
 */
bool guard_process_ask_aside(struct guard_process *guard, const struct aside_head *head, struct bytes content);

/* The same for an order, which has no content but may have a descriptor; fd: borrowed, or -1. */
bool guard_process_order_aside(struct guard_process *guard, const struct aside_head *head, int fd);

/* All that has come from this guard, over its link and its pipes. */
static inline uint64_t guard_process_received(const struct guard_process *guard)
{
    return guard->reader.total_bytes + guard->output_bytes;
}

/* Asks it to write down where the main thread is; takes a moment, and works while the GIL is held. */
void guard_process_note_line(struct guard_process *guard);

bool guard_process_has_stack(const struct guard_process *guard); /* it has */

/* The stack that was written down last, in faulthandler's words. A new string, maybe empty. */
char *guard_process_stack(const struct guard_process *guard);

/* What was written down is told: the next one must not be taken for it. */
void guard_process_forget_stack(struct guard_process *guard);

/* SIGKILL to it and its group; `ended` follows. */
void guard_process_kill(struct guard_process *guard);

/* Whether its output is taken; false makes it wait. */
void guard_process_set_paused(struct guard_process *guard, bool paused);

/* It broke the rules: kills it; `ended` follows. */
void guard_process_condemn(struct guard_process *guard, const char *reason);

/* How it ended, as a phrase: "was killed by SIGSEGV (Segmentation fault)". A new string. */
char *guard_process_describe_end(const struct guard_process *guard);

/* Asks it to end, waits at most `limit_ms`, kills its process group and what it left behind. */
void guard_process_stop(struct guard_process *guard, int limit_ms);
void guard_process_finish(struct guard_process *guard);
