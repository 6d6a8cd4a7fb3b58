/*
 * kernel - the kernel process as a whole
 *
 * Holds every part and connects them: what arrives on the channels goes to requests/, what needs
 * the interpreter goes through the execution queue to the guard, what the guard sends goes through
 * execution/ to iopub and back to the request. One exists per process; whoever gets it, borrows it.
 */
#pragma once

#include "guard/policy/policy.h"
#include "kernel/channels/channels.h"
#include "kernel/config/options.h"
#include "kernel/config/policy_sources.h"
#include "kernel/execution/aside.h"
#include "kernel/execution/cells.h"
#include "kernel/execution/comm_order.h"
#include "kernel/execution/comms.h"
#include "kernel/execution/deaf.h"
#include "kernel/execution/debugger.h"
#include "kernel/execution/errand.h"
#include "kernel/execution/from_guard.h"
#include "kernel/execution/outputs.h"
#include "kernel/execution/question.h"
#include "kernel/execution/queue.h"
#include "kernel/execution/restore.h"
#include "kernel/execution/subshells.h"
#include "kernel/loop.h"
#include "kernel/records/audit_log.h"
#include "kernel/records/history.h"
#include "kernel/supervisor/copies.h"
#include "kernel/supervisor/guard_process.h"
#include "kernel/supervisor/limits.h"
#include "kernel/supervisor/templates.h"
#include "kernel/supervisor/usage.h"

struct kernel {
    struct loop *loop;
    struct options options;
    struct connection_file connection_file;
    struct channels channels;
    struct guard_process guard;
    struct limits limits;
    struct copies copies;
    struct restore restore;
    struct deaf deaf;
    struct templates templates;
    bool template_failed;      /* guards of this session are started without one */
    struct buffer policy;      /* as it is sent to the guard */
    struct policy_sources policy_files;
    char *private_directory;   /* of the guard */
    char *python_version;      /* for kernel_info_reply, known before the guard is */
    char *os_ring; /* JSON; what the guard said when it was ready; NULL before */
    char *banner;              /* the guard's, once it is ready; NULL before */
    struct queue queue;
    struct subshells subshells;
    struct comm_order comm_order;
    uint64_t arrivals; /* how many requests there were */
    struct aside aside;
    struct debugger debugger;
    struct question question;  /* the one that is open, or the last one */
    struct errand errand;      /* a command that is run for the cell */
    struct guard_lines guard_lines;
    struct cells *cells;
    struct outputs outputs;
    struct comms *comms;
    struct history *history;
    char *audit_log_path;      /* NULL: none is kept */
    struct audit_log *audit_log;
    struct usage usage;
    int execution_count;       /* of the last cell that was stored */
    long late_denials;         /* since the last cell began, of cells that were over */
    bool shows_passive_only;   /* the policy's outputs = "passive" */
    bool is_open;              /* the preset "open": the guard judges nothing */
    uint32_t output_cell;      /* whose the bytes on the guard's fds 1 and 2 are */
    bool is_aborting;          /* nothing is run: the cells that wait are about to be aborted */
    bool is_shutting_down;
    int exit_status;           /* 1 when the guard died: launchers tell a crash from an end */
    struct loop_timer resume_timer;  /* looks whether iopub has room again */
    struct loop_timer history_timer; /* writes history behind */
    struct loop_timer question_timer; /* the time to answer is over */
    struct loop_timer hurry_timer;   /* a completion takes long */
    struct loop_timer warm_timer;    /* a guard from a template is late */
    struct loop_timer end_timer;     /* after the guard's death: answers what was under way, then ends */
    struct loop_source signal_source;
    struct loop_source parent_source;
};

/*
 * kernel_run() - be a kernel until a shutdown_request, a signal, or the end of the launcher
 *
 * options  TAKEN
 *
 * Returns the exit status of the process.
 */
int kernel_run(struct options *options);

/* The request of this cell number that the guard works on, in whichever shell; NULL: none. */
struct request *kernel_running(struct kernel *kernel, uint32_t cell);

/* While iopub has no room, the guard's output stays where it is and the cell has to wait. */
void kernel_heed_congestion(struct kernel *kernel);

/* Starts a fresh guard in place of one that died. Returns 0 or -errno. */
int kernel_respawn(struct kernel *kernel);

/* The guard is gone: answers for a moment what clients had sent already, then ends with status 1. */
void kernel_end_after_death(struct kernel *kernel);

/* Ends the loop after what is being handled. */
void kernel_shut_down(struct kernel *kernel);
