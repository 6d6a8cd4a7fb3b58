#include "kernel/execution/restore.h"

#include "kernel/execution/main_shell.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/requests/requests.h"
#include "kernel/supervisor/proc.h"
#include "kernel/wire/json_text.h"

enum {
    IDLE_MS = 15,
    YIELD_MS = 500, /* how long a copy lets others go first */
    INTERVAL_MIN_MS = 2000, /* between copies that are taken under load */
    /* Under load one copy in so many times what the fork took: the cells that follow it pay about ten
       times as much for pages that they write to, and all of it shall stay below a fiftieth. */
    SHARE = 500,
};

/* ---- when -------------------------------------------------------------------------------------- */

static void refuse(struct copies *copies, const char *reason)
{
    copies_refuse(copies, bytes_of_string(reason));
}

/* A copy shares its memory with the guard until one of them writes to it: at worst there is all of it twice. */
static bool has_room(struct kernel *kernel)
{
    uint64_t limit = (uint64_t)kernel->limits.values.copy_limit_mb << 20;
    struct proc_host_memory host;
    uint64_t rss;

    if (!proc_rss(kernel->guard.pid, &rss))
        return true;
    if (limit != 0 && rss > limit) {
        refuse(&kernel->copies, "the interpreter holds more memory than copy_limit_mb");
        return false;
    }
    if (proc_host_memory(&host) && host.available < rss) {
        refuse(&kernel->copies, "the machine has too little memory left");
        return false;
    }
    return true;
}

static bool take(struct kernel *kernel)
{
    if (kernel->copies.most != 0 && subshells_work(kernel)) {
        refuse(&kernel->copies, "a subshell is at work");
        return false;
    }
    return kernel->copies.most != 0 && !copies_is_pending(&kernel->copies) && has_room(kernel) &&
           copies_take(&kernel->copies);
}

static bool lets_others_go_first(const struct kernel *kernel)
{
    return loop_now_ms() - kernel->restore.idle_since_ms < YIELD_MS && proc_host_is_crowded();
}

static int on_idle(void *context)
{
    struct kernel *kernel = context;

    if (kernel->queue.running != NULL || kernel->queue.first != NULL ||
        kernel->guard.state != GUARD_READY || kernel->copies.is_current)
        return 0;
    if (lets_others_go_first(kernel))
        loop_timer_start(&kernel->restore.idle_timer, 2 * IDLE_MS);
    else
        take(kernel);
    return 0;
}

void restore_when_idle(struct kernel *kernel)
{
    if (kernel->copies.most == 0 || kernel->copies.is_current)
        return;
    kernel->restore.idle_since_ms = loop_now_ms();
    loop_timer_start(&kernel->restore.idle_timer, IDLE_MS);
}

/* Questions about code change nothing. */
static bool changes(const struct request *request)
{
    return request->type == &execute_request || request->type->reply_type == NULL ||
           (request->type == &debug_request && !debugger_is_command(request, "inspectVariables"));
}

void restore_before_request(struct kernel *kernel, const struct request *request)
{
    struct copies *copies = &kernel->copies;
    int64_t interval = copies->took_ms * SHARE;

    if (copies->most == 0 || copies->is_current || !changes(request))
        return;
    if (copies->settled_ms == NEVER_MS ||
        loop_now_ms() - copies->settled_ms > (interval > INTERVAL_MIN_MS ? interval : INTERVAL_MIN_MS))
        take(kernel);
}

void restore_note_request(struct kernel *kernel, const struct request *request)
{
    if (changes(request))
        copies_note_change(&kernel->copies, kernel->execution_count, request->cell);
}

/* 0: there is none. */
static pid_t pid_in(struct bytes info, const char *member)
{
    struct bytes value;
    long pid = 0;

    if (json_text_member(info, member, &value))
        json_text_integer(value, &pid);
    return (pid_t)pid;
}

void restore_start(struct kernel *kernel, struct bytes info)
{
    copies_start(&kernel->copies, (size_t)kernel->limits.values.copies, pid_in(info, "broker_pid"),
                 pid_in(info, "starter_pid"));
}

/* ---- going back -------------------------------------------------------------------------------- */

static int tell_closed_comm(void *context, struct bytes content)
{
    struct kernel *kernel = context;

    return outputs_publish(&kernel->outputs, kernel->output_cell,
                           &(struct outgoing){.msg_type = "comm_close", .content = content});
}

static bool go_to(struct kernel *kernel, const struct copy *copy)
{
    if (subshells_suspend(kernel, "GuardDied", "another state of the session has taken the place of this one") != 0)
        return false;
    if (!copies_thaw(&kernel->copies, copy))
        return false;
    if (kernel->debugger.is_attached)
        debugger_send_settings(kernel);
    if (comms_close_after(kernel->comms, kernel->copies.state.cell, tell_closed_comm, kernel) != 0) /* it knows none of them */
        log_warning("front ends were not told of comms that are gone");
    return true;
}

static char *name_of(struct session_state state)
{
    return state.execution_count != 0 ? xasprintf("after In [%d]", state.execution_count)
                                      : xstrdup("at its start");
}

char *restore_after_death(struct kernel *kernel)
{
    struct copies *copies = &kernel->copies;
    struct session_state wanted =
        kernel->queue.running != NULL && changes(kernel->queue.running) ? copies->before
                                                                        : copies->state;
    /* A copy that takes over forgets why it is the newest. */
    cleanup_free char *why = copies_tell_hindrance(copies, ": no later copy was taken because ");
    cleanup_free char *name = NULL;
    const struct copy *copy;

    while ((copy = copies_newest(copies)) != NULL && !go_to(kernel, copy))
        continue;
    if (copy == NULL)
        return NULL;
    kernel->restore.tries = kernel->restore.waits = false;
    if (copies->state.cell == wanted.cell)
        return xstrdup("The session is as it was before; nothing else is lost.");
    name = name_of(copies->state);
    return xasprintf("The session is as it was %s; what cells changed later is lost%s.", name, why);
}

/* Which steps back there are: "1, 2, 4". */
static char *list_depths(const struct copies *copies)
{
    struct buffer list = BUFFER_NONE;

    for (size_t i = copies->count; i > 0; i--) {
        int cells = copies->state.depth - copies->items[i - 1].state.depth;

        if (cells > 0)
            buffer_append_format(&list, "%s%d", list.size != 0 ? ", " : "", cells);
    }
    return list.size != 0 ? buffer_steal_string(&list) : xstrdup("none");
}

char *restore_rewind(struct kernel *kernel, long cells, bool *ret_failed)
{
    struct copies *copies = &kernel->copies;
    const struct copy *copy =
        cells > 0 && cells <= copies->state.depth
            ? copies_find(copies, copies->state.depth - (int)cells)
            : NULL;
    cleanup_free char *name = NULL;
    cleanup_free char *depths = NULL;
    cleanup_free char *why = NULL;

    *ret_failed = copy == NULL || !go_to(kernel, copy);
    depths = list_depths(copies);
    why = copies_tell_hindrance(copies, "; the last copy was not taken because ");
    if (*ret_failed)
        return xasprintf("there is no copy from before %ld cell%s: copies are there for these steps "
                         "back: %s%s",
                         cells, cells == 1 ? "" : "s", depths, why);
    name = name_of(copies->state);
    return xasprintf("The session is as it was %s. Files that cells wrote stay. Steps further back: %s.", name,
                     depths);
}

char *restore_reset(struct kernel *kernel, bool *ret_respawns)
{
    const struct copy *copy = copies_find_start(&kernel->copies);

    *ret_respawns = copy == NULL || !go_to(kernel, copy);
    return xstrdup("The session is as it was at its start. Files that cells wrote stay.");
}

/* ---- trials ------------------------------------------------------------------------------------ */

bool restore_begin_trial(struct kernel *kernel)
{
    kernel->restore.tries = true;
    if (kernel->copies.is_current)
        return true;
    kernel->restore.waits = true;
    if (!copies_is_pending(&kernel->copies) && !take(kernel))
        loop_timer_start(&kernel->restore.idle_timer, 0); /* refused from there */
    return false;
}

struct request *restore_take_waiting(struct kernel *kernel)
{
    if (!kernel->restore.waits)
        return NULL;
    kernel->restore.waits = kernel->restore.tries = false;
    return steal(kernel->queue.running);
}

static int refuse_trial(struct kernel *kernel)
{
    const char *hindrance = kernel->copies.hindrance;
    cleanup_free char *why =
        xasprintf("a cell can be tried only where the interpreter can be copied: %s",
                  kernel->copies.most == 0 ? "copies = 0"
                  : hindrance != NULL      ? hindrance
                                           : "it cannot now");
    int result;

    kernel->restore.tries = false;
    result = requests_fail(kernel->queue.running, "TrialError", why);
    return result != 0 ? result : main_shell_run_next(kernel);
}

/* A copy is there, or there is none. */
static int on_settled(void *context)
{
    struct kernel *kernel = context;

    if (!kernel->restore.waits)
        return 0;
    kernel->restore.waits = false;
    /* The copy that was under way may be of a state before the last cell: then one more is needed. */
    if (!kernel->copies.is_current && kernel->copies.hindrance == NULL && take(kernel)) {
        kernel->restore.waits = true;
        return 0;
    }
    if (!kernel->copies.is_current)
        return refuse_trial(kernel);
    return main_shell_run_again(kernel);
}

static int on_timer(void *context)
{
    struct kernel *kernel = context;

    if (!kernel->restore.waits)
        return on_idle(kernel);
    /* Set for an idle moment that did not come: the copy under way will tell. */
    return copies_is_pending(&kernel->copies) ? 0 : on_settled(kernel);
}

int restore_end_trial(struct kernel *kernel)
{
    const struct copy *copy = copies_find(&kernel->copies, kernel->copies.before.depth);

    if (!kernel->restore.tries)
        return 0;
    kernel->restore.tries = false;
    if (copy != NULL && copy->state.cell == kernel->copies.before.cell && go_to(kernel, copy))
        return 0;
    log_error("the copy of before a trial is gone");
    return kernel_respawn(kernel);
}

void restore_init(struct kernel *kernel)
{
    copies_init(&kernel->copies, kernel->loop, &kernel->guard, on_settled, kernel);
    kernel->restore.idle_timer = (struct loop_timer){.callback = on_timer, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->restore.idle_timer);
}
