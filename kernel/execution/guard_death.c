#include "kernel/execution/guard_death.h"

#include "kernel/execution/account.h"
#include "kernel/execution/breach.h"
#include "kernel/execution/main_shell.h"
#include "kernel/execution/restore.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/requests/requests.h"

/* Why the guard is no more, for the person whose cell it took along. A new string. */
static char *explain(const struct kernel *kernel)
{
    const struct request *running = kernel->queue.running;
    cleanup_free char *end = NULL;
    cleanup_free char *place = NULL;

    if (kernel->guard.state == GUARD_FAILED)
        return xasprintf("the interpreter could not start: %s", kernel->guard.failure);
    if (running != NULL && breach_is(kernel))
        return breach_describe(running);
    if (kernel->guard.failure != NULL)
        return xasprintf("the interpreter process was ended because %s", kernel->guard.failure);
    end = guard_process_describe_end(&kernel->guard);
    place = running != NULL ? breach_describe_place(running) : xstrdup("");
    return xasprintf("the interpreter process %s while this ran%s", end, place);
}

/* What was queued behind the cell is no less stopped by this than by an ordinary error. */
static int answer_running(struct kernel *kernel, const char *ename, const char *reason)
{
    struct request *running = kernel->queue.running;

    return running != NULL ? requests_fail(running, ename, reason) : 0;
}

/* Nobody waits for an answer, but the next cell may miss what it expects. */
static int tell_idle_death(struct kernel *kernel, const char *reason)
{
    cleanup_free char *line = xasprintf("%s\n", reason);

    return outputs_write(&kernel->outputs, STREAM_STDERR, kernel->output_cell, bytes_of_string(line));
}

static int go_on(struct kernel *kernel, const char *ename, const char *reason, const char *loss)
{
    cleanup_free char *words = xasprintf("%s. %s", reason, loss);
    int result = kernel->queue.running != NULL ? answer_running(kernel, ename, words)
                                               : tell_idle_death(kernel, words);

    return result != 0 ? result : main_shell_run_next(kernel);
}

/* What is lost, and why no copy could prevent it. */
static char *tell_end(const struct kernel *kernel, const char *reason, bool respawns)
{
    cleanup_free char *why = copies_tell_hindrance(&kernel->copies, ": no copy was taken because ");

    return xasprintf("%s. %s now; variables are lost%s.", reason,
                     respawns ? "A fresh interpreter starts" : "The kernel ends", why);
}

static int end_session(struct kernel *kernel, const char *ename, const char *reason, bool failed,
                       bool respawns)
{
    cleanup_free char *words = failed ? xstrdup(reason) : tell_end(kernel, reason, respawns);
    int result;

    comms_clear(kernel->comms);
    audit_log_end_session(kernel->audit_log, words); /* the cell's own line comes before */
    result = queue_refuse_all(&kernel->queue, ename, words);
    if (result == 0 && failed) /* no guard comes that they could wait for */
        result = subshells_end(kernel, ename, words);
    if (result != 0 || failed)
        return result; /* a kernel that cannot run cells still says why to each of them */
    if (!respawns) {
        kernel_end_after_death(kernel);
        return 0;
    }
    return kernel_respawn(kernel);
}

/* A trial that waits for its copy has not begun: what was breached, an earlier cell has. */
static bool heed_breach(struct kernel *kernel)
{
    limits_heed_death(&kernel->limits);
    return breach_is(kernel) && kernel->queue.running != NULL && !kernel->restore.waits;
}

int guard_death_take(struct kernel *kernel)
{
    struct request *running = kernel->queue.running;
    bool failed = kernel->guard.state == GUARD_FAILED;
    bool breached = heed_breach(kernel);
    bool respawns = breached || kernel->subshells.has_breached || kernel->options.on_guard_death == GUARD_DEATH_RESPAWN;
    const char *ename = failed ? "GuardFailed" : breached ? breach_ename(kernel) : "GuardDied";
    cleanup_free char *reason = explain(kernel);
    cleanup_free char *loss = NULL;
    int result;

    log_error("%s", reason);
    question_drop(kernel);
    errand_drop(kernel);
    result = aside_give_up(kernel, "the interpreter has ended");
    if (result != 0)
        return result;
    result = subshells_suspend(kernel, ename, reason);
    if (result != 0)
        return result;
    guard_process_forget_stack(&kernel->guard);
    limits_end(&kernel->limits);
    result = debugger_end_request(kernel);
    if (result != 0)
        return result;
    kernel->restore.waits = kernel->restore.tries = false;
    result = outputs_turn(&kernel->outputs);
    if (result != 0)
        return result;
    if (running != NULL && running->type == &execute_request)
        account_end(kernel, running, "died", NULL);
    if (!failed)
        loss = restore_after_death(kernel);
    if (loss != NULL)
        return go_on(kernel, ename, reason, loss);
    return end_session(kernel, ename, reason, failed, respawns);
}
