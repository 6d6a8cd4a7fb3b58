/*
 * subshells - more queues, whose requests run beside the main one's
 *
 * Source: JEP 91. Each has a thread in the guard (guard/python/subshell.h), a socket to it, and an execution queue; the
 * namespace, the execution count and the guard itself are shared. They are made and ended on the control
 * channel, whatever runs. What belongs to the one cell of the main shell does not exist here: frozen copies,
 * trials, session commands, questions to a person, the debugger. Limits are: see on_tick(). A guard that takes the place
 * of another gets threads for those that there are.
 */
#pragma once

#include "guard/link/frame.h"
#include "kernel/execution/queue.h"
#include "kernel/loop.h"

enum { SUBSHELLS_MAX = 16 };

enum subshell_state {
    SUBSHELL_NONE,    /* this place is free */
    SUBSHELL_WANTED,  /* there is no guard that is ready */
    SUBSHELL_OPENING, /* its thread begins */
    SUBSHELL_OPEN,
    SUBSHELL_ENDING,  /* a request still runs, or comm messages wait */
    SUBSHELL_CLOSING, /* its thread ends */
};

struct subshell {
    struct kernel *kernel;
    unsigned number; /* the guard's name for it; from 1 */
    enum subshell_state state;
    char id[37];
    int link; /* frames for its thread */
    struct frame_writer writer;
    struct loop_source source; /* only while something waits to be written */
    bool is_writing;
    struct queue queue;
    struct request *waiter; /* that wants it made, or ended */
    uint64_t used;          /* the arrival of the last request for it */
    bool has_console;       /* more came than comm messages, which find their way without it */
    int64_t due_ms;         /* when its time is over; 0: never */
    long timeout_seconds;
    bool is_interrupted;
};

struct subshells {
    struct subshell items[SUBSHELLS_MAX];
    struct loop_timer tick; /* while cells run in them */
    bool has_breached;      /* a limit: the guard is being ended for it */
};

#define FOR_EACH_SUBSHELL(subshell, kernel)                                                        \
    for (struct subshell *subshell = (kernel)->subshells.items;                                    \
         subshell < (kernel)->subshells.items + SUBSHELLS_MAX; subshell++)

void subshells_init(struct kernel *kernel);

/* Each TAKES the request and answers it, now or later. Returns 0 or -errno. */
int subshells_create(struct kernel *kernel, struct request *request);
int subshells_delete(struct kernel *kernel, struct request *request);
int subshells_list(struct kernel *kernel, struct request *request);

/* A guard is ready for those that are wanted. Returns 0 or -errno. */
int subshells_begin(struct kernel *kernel);

/* FRAME_SUBSHELL. Returns 0 or -errno. */
int subshells_take(struct kernel *kernel, const struct frame *frame);

/* The guard is gone, or goes: what ran is refused, cells that wait are aborted, and subshells_begin() is due. Returns 0 or -errno. */
int subshells_suspend(struct kernel *kernel, const char *ename, const char *why);

/* The end of the kernel: everything in them is refused, and they are no more. Returns 0 or -errno. */
int subshells_end(struct kernel *kernel, const char *ename, const char *why);

/*
 * subshells_find() - which one a message is for
 *
 * ret_subshell  borrowed; NULL for the main shell
 *
 * Returns false when the header names one that is not there.
 */
bool subshells_find(struct kernel *kernel, const struct message *message, struct subshell **ret_subshell);

/* The member `subshell_id` of an object, whatever state it is in; false when it is there and names none. */
bool subshells_find_named(struct kernel *kernel, struct bytes object, struct subshell **ret_subshell);

/* That there is none of this id, in ipykernel's words. TAKES the request. Returns 0 or -errno. */
int subshells_refuse_unknown(struct request *request, struct bytes named_in);

/* Into its queue, to be run when it is free; request TAKEN. Returns 0 or -errno. */
int subshell_enqueue(struct subshell *subshell, struct request *request);

/* To its thread. */
void subshell_send(struct subshell *subshell, const struct frame *frame);

/* The reply of its request is out: the next one. Returns 0 or -errno. */
int subshell_run_next(struct subshell *subshell);

/*
 * The comm messages that run: a callback that does not end. Front ends have no other way to stop it, since what they
 * interrupt has no name of a subshell.
 */
void subshells_interrupt_comms(struct kernel *kernel);

/* The first request, running or waiting, that the function is true for; NULL: none. */
struct request *subshells_find_request(struct kernel *kernel, bool (*is_it)(struct request *request, void *context), void *context);

/* KeyboardInterrupt in its cell, as far as that can be; "aborted" for what waits. Returns 0 or -errno. */
int subshell_interrupt(struct subshell *subshell);

/* The request of this cell number that runs in one of them; the one whose input_request this answers. NULL: none. */
struct request *subshells_running(struct kernel *kernel, uint32_t cell);
struct request *subshells_asking(struct kernel *kernel, const struct message *answer,
                                 bool (*answers)(const struct message *answer, const char *input_msg_id));
bool subshells_work(const struct kernel *kernel);
bool subshells_work_beside(const struct request *request); /* in another one than this */
