/* How subshells are made and ended. */
#include "kernel/execution/main_shell.h"
#include "kernel/execution/subshell_thread.h"
#include "kernel/execution/subshells.h"
#include "kernel/kernel.h"

/* Nothing of it is left. */
static void forget(struct subshell *subshell)
{
    subshell_close_link(subshell);
    subshell->state = SUBSHELL_NONE;
    subshell->waiter = NULL;
}

static bool is_idle_without_console(const struct subshell *subshell)
{
    return subshell->state == SUBSHELL_OPEN && subshell->waiter == NULL && !subshell->has_console &&
           subshell->queue.running == NULL && subshell->queue.first == NULL;
}

/*
 * A page that is loaded anew makes new ones and deletes none. When the last place is taken, the one goes whose last comm message
 * is the longest ago; those that may still come for it go to the main shell.
 */
static void make_room(struct kernel *kernel)
{
    struct subshell *oldest = NULL;

    FOR_EACH_SUBSHELL(subshell, kernel) {
        if (subshell->state == SUBSHELL_NONE)
            return;
        if (is_idle_without_console(subshell) && (oldest == NULL || subshell->used < oldest->used))
            oldest = subshell;
    }
    if (oldest != NULL)
        subshell_close_thread(oldest);
}

int subshells_create(struct kernel *kernel, struct request *request)
{
    FOR_EACH_SUBSHELL(subshell, kernel) {
        if (subshell->state != SUBSHELL_NONE)
            continue;
        session_random_uuid(subshell->id);
        subshell->state = SUBSHELL_WANTED;
        subshell->waiter = request;
        subshell->used = request->arrival;
        subshell->has_console = false;
        make_room(kernel);
        if (kernel->guard.state == GUARD_STARTING || kernel->guard.thaws)
            return 0; /* subshells_begin() */
        if (kernel->guard.state == GUARD_READY && subshell_open_thread(subshell))
            return 0;
        forget(subshell);
        return request_refuse(request, "RuntimeError", "no subshell can be made: the interpreter is not there");
    }
    return request_refuse(request, "RuntimeError", "there are %d subshells already, which is the most",
                          SUBSHELLS_MAX);
}

/* The comm messages in `from`; each to its place in `to`. */
static void move_comms(struct queue *from, struct queue *to, struct subshell *subshell)
{
    struct request *waiting = from->first;

    while (waiting != NULL) {
        struct request *request = waiting;

        waiting = waiting->next;
        if (!comm_order_is_comm(request))
            continue;
        queue_remove(from, request);
        request->subshell = subshell;
        queue_insert(to, request);
    }
}

/* Where there is no thread, they wait as if they had been sent to the main shell. */
static void give_comms_back(struct subshell *subshell)
{
    move_comms(&subshell->queue, &subshell->kernel->queue, NULL);
}

/* All that waits but comm messages, whose comms outlive the subshell. Returns 0 or -errno. */
static int refuse_waiting(struct subshell *subshell)
{
    struct request *running = steal(subshell->queue.running);
    struct queue comms = {0};
    int result;

    move_comms(&subshell->queue, &comms, subshell);
    result = queue_refuse_all(&subshell->queue, "SubshellDeleted", "the subshell was deleted before its turn came");
    subshell->queue = comms;
    subshell->queue.running = running;
    return result;
}

static int fail(struct subshell *subshell)
{
    struct kernel *kernel = subshell->kernel;
    struct request *waiter = steal(subshell->waiter);
    int result;

    give_comms_back(subshell);
    result = queue_refuse_all(&subshell->queue, "RuntimeError", "the thread of the subshell cannot be started");
    forget(subshell);
    if (result == 0 && waiter != NULL)
        result = request_refuse(waiter, "RuntimeError", "the interpreter can start no more threads");
    return result != 0 ? result : main_shell_run_next(kernel);
}

int subshells_begin(struct kernel *kernel)
{
    int result = 0;

    FOR_EACH_SUBSHELL(subshell, kernel)
        if (result == 0 && subshell->state == SUBSHELL_WANTED && !subshell_open_thread(subshell))
            result = fail(subshell);
    return result;
}

static int answer_waiter(struct subshell *subshell)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    struct request *waiter = steal(subshell->waiter);

    if (waiter == NULL)
        return 0;
    if (subshell->state == SUBSHELL_OPEN)
        buffer_append_format(&content, "{\"status\":\"ok\",\"subshell_id\":\"%s\"}", subshell->id);
    else
        buffer_append_string(&content, "{\"status\":\"ok\"}");
    return request_reply(waiter, buffer_bytes(&content), BYTES_NONE);
}

int subshells_delete(struct kernel *kernel, struct request *request)
{
    struct subshell *subshell;
    int result = channels_read_shell(&kernel->channels); /* what was sent to it before, on another socket */

    if (result != 0)
        return result;
    if (!subshells_find_named(kernel, request_content(request), &subshell) || subshell == NULL ||
        subshell->state > SUBSHELL_OPEN || subshell->waiter != NULL)
        return subshells_refuse_unknown(request, request_content(request));
    result = refuse_waiting(subshell);
    if (result != 0)
        return result;
    subshell->waiter = request;
    if (subshell->state != SUBSHELL_OPEN)
        give_comms_back(subshell);
    if (subshell->state == SUBSHELL_WANTED) {
        result = answer_waiter(subshell); /* there is no thread yet */
        forget(subshell);
        return result;
    }
    /* One that is being made has a thread soon, which takes the end of its socket as it takes all others. */
    subshell->state = SUBSHELL_ENDING;
    result = subshell_run_next(subshell);
    return result != 0 ? result : main_shell_run_next(kernel);
}

int subshells_list(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    const char *comma = "";

    buffer_append_string(&content, "{\"status\":\"ok\",\"subshell_id\":[");
    FOR_EACH_SUBSHELL(subshell, kernel)
        if (subshell->state != SUBSHELL_NONE && subshell->state <= SUBSHELL_OPEN && subshell->waiter == NULL) {
            buffer_append_format(&content, "%s\"%s\"", comma, subshell->id);
            comma = ",";
        }
    buffer_append_string(&content, "]}");
    return request_reply(request, buffer_bytes(&content), BYTES_NONE);
}

/* Only what was asked for: anything else is a guard that lies. */
int subshells_take(struct kernel *kernel, const struct frame *frame)
{
    struct subshell *subshell = frame->cell >= 1 && frame->cell <= SUBSHELLS_MAX
                                    ? &kernel->subshells.items[frame->cell - 1]
                                    : NULL;
    enum subshell_state state = subshell != NULL ? subshell->state : SUBSHELL_NONE;
    int result;

    if (state == SUBSHELL_OPENING && bytes_equal_string(frame->parts[0], "failed"))
        return fail(subshell);
    if (state == SUBSHELL_OPENING && bytes_equal_string(frame->parts[0], "open")) {
        subshell->state = SUBSHELL_OPEN;
        result = answer_waiter(subshell);
        return result != 0 ? result : subshell_run_next(subshell);
    }
    if (state == SUBSHELL_CLOSING && !bytes_equal_string(frame->parts[0], "closed"))
        return 0; /* it was deleted while it was being made */
    if (state == SUBSHELL_CLOSING) {
        result = answer_waiter(subshell);
        forget(subshell);
        return result;
    }
    guard_process_condemn(&kernel->guard, "it broke the protocol: a subshell that nobody asked for");
    return 0;
}

/* Its thread goes with the guard. Returns 0 or -errno. */
static int suspend(struct subshell *subshell, const char *ename, const char *why)
{
    struct request *running = steal(subshell->queue.running);
    int result = running != NULL ? request_fail(running, ename, why) : 0;

    if (result == 0)
        result = queue_abort_executes(&subshell->queue);
    subshell_close_link(subshell);
    if (result != 0)
        return result;
    if (subshell->state < SUBSHELL_ENDING) {
        subshell->state = SUBSHELL_WANTED;
        return 0;
    }
    give_comms_back(subshell);
    subshell->state = SUBSHELL_CLOSING;
    result = answer_waiter(subshell);
    forget(subshell);
    return result;
}

int subshells_suspend(struct kernel *kernel, const char *ename, const char *why)
{
    int result = 0;

    kernel->subshells.has_breached = false;
    FOR_EACH_SUBSHELL(subshell, kernel)
        if (result == 0 && subshell->state != SUBSHELL_NONE)
            result = suspend(subshell, ename, why);
    return result;
}

int subshells_end(struct kernel *kernel, const char *ename, const char *why)
{
    int result = 0;

    FOR_EACH_SUBSHELL(subshell, kernel) {
        struct request *waiter = steal(subshell->waiter);

        if (subshell->state == SUBSHELL_NONE || result != 0)
            continue;
        result = queue_refuse_all(&subshell->queue, ename, why);
        if (result == 0 && waiter != NULL)
            result = request_refuse(waiter, ename, "%s", why);
        forget(subshell);
    }
    return result;
}
