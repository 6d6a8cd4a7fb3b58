#include "kernel/execution/account.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

static const char *state_name(const struct kernel *kernel)
{
    switch (kernel->guard.state) {
    case GUARD_STARTING:
        return "starting";
    case GUARD_FAILED:
        return "failed";
    case GUARD_DEAD:
        return "dead";
    default:
        return kernel->queue.running != NULL || subshells_work(kernel) ? "busy" : "idle";
    }
}

static long long waiting(const struct kernel *kernel)
{
    long long count = 0;

    for (const struct request *request = kernel->queue.first; request != NULL; request = request->next)
        count++;
    return count;
}

static json_t *string_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

/* Answered by the kernel process alone, so also while a cell holds the interpreter. */
static int handle(struct kernel *kernel, struct request *request)
{
    const struct request *running = kernel->queue.running;
    json_t *figures = json_pack(
        "{ss ss ss sI si sI sf so so sI sb so}", "status", "ok", "state", state_name(kernel), "version",
        SAFEPYRUN_VERSION, "guard_pid", (json_int_t)kernel->guard.pid, "execution_count",
        kernel->execution_count, "waiting", (json_int_t)waiting(kernel), "running_seconds",
        running != NULL ? account_running_ms(running) / 1000 : 0.0, "failure", string_or_null(kernel->guard.failure), "policy_file",
        string_or_null(kernel->options.policy_file), "copies", (json_int_t)kernel->copies.count,
        "copy_is_current", kernel->copies.is_current, "copy_hindrance",
        string_or_null(kernel->copies.hindrance));
    cleanup_free char *content = figures != NULL ? json_dumps(figures, JSON_COMPACT) : NULL;

    json_decref(figures);
    if (content == NULL)
        return request_refuse(request, "RuntimeError", "the status cannot be written");
    return request_reply(request, bytes_of_string(content), BYTES_NONE);
}

const struct request_type status_request = {
    .msg_type = "safepyrun_status_request", /* docs/messages.md */
    .reply_type = "safepyrun_status_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
