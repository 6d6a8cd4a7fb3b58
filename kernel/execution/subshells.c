#include "kernel/execution/subshells.h"

#include "guard/link/aside.h"
#include "kernel/execution/subshell_thread.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

enum { TICK_MS = 250, ID_SHOWN = 100 };

/* ---- looking --------------------------------------------------------------------------------- */

static struct subshell *find_id(struct kernel *kernel, struct bytes id)
{
    FOR_EACH_SUBSHELL(subshell, kernel)
        if (subshell->state != SUBSHELL_NONE && bytes_equal_string(id, subshell->id))
            return subshell;
    return NULL;
}

bool subshells_find_named(struct kernel *kernel, struct bytes object, struct subshell **ret_subshell)
{
    cleanup_buffer struct buffer id = BUFFER_NONE;
    struct bytes value;

    *ret_subshell = NULL;
    if (!json_text_member(object, "subshell_id", &value) || bytes_equal_string(value, "null"))
        return true;
    if (!json_text_string(value, &id))
        return false;
    *ret_subshell = find_id(kernel, buffer_bytes(&id));
    return *ret_subshell != NULL;
}

bool subshells_find(struct kernel *kernel, const struct message *message, struct subshell **ret_subshell)
{
    return subshells_find_named(kernel, message->header, ret_subshell) &&
           (*ret_subshell == NULL || (*ret_subshell)->state <= SUBSHELL_OPEN);
}

int subshells_refuse_unknown(struct request *request, struct bytes named_in)
{
    cleanup_buffer struct buffer id = BUFFER_NONE;

    json_text_member_string(named_in, "subshell_id", &id);
    return request_refuse(request, "UnknownSubshellError", "Unknown subshell_id '%.*s'", (int)(id.size < ID_SHOWN ? id.size : ID_SHOWN),
                          id.data != NULL ? id.data : "");
}

struct request *subshells_running(struct kernel *kernel, uint32_t cell)
{
    FOR_EACH_SUBSHELL(subshell, kernel)
        if (subshell->queue.running != NULL && subshell->queue.running->cell == cell)
            return subshell->queue.running;
    return NULL;
}

struct request *subshells_asking(struct kernel *kernel, const struct message *answer,
                                 bool (*answers)(const struct message *answer, const char *input_msg_id))
{
    FOR_EACH_SUBSHELL(subshell, kernel) {
        struct request *running = subshell->queue.running;

        if (running != NULL && running->input_msg_id != NULL && answers(answer, running->input_msg_id))
            return running;
    }
    return NULL;
}

struct request *subshells_find_request(struct kernel *kernel, bool (*is_it)(struct request *request, void *context), void *context)
{
    FOR_EACH_SUBSHELL(subshell, kernel) {
        if (subshell->queue.running != NULL && is_it(subshell->queue.running, context))
            return subshell->queue.running;
        for (struct request *request = subshell->queue.first; request != NULL; request = request->next)
            if (is_it(request, context))
                return request;
    }
    return NULL;
}

bool subshells_work(const struct kernel *kernel)
{
    FOR_EACH_SUBSHELL(subshell, (struct kernel *)kernel)
        if (subshell->queue.running != NULL)
            return true;
    return false;
}

bool subshells_work_beside(const struct request *request)
{
    FOR_EACH_SUBSHELL(subshell, request->kernel)
        if (subshell != request->subshell && subshell->queue.running != NULL)
            return true;
    return false;
}

/* ---- limits ---------------------------------------------------------------------------------- */

/*
 * Time is each cell's own: an interrupt, and after the time of grace the end of the guard with all that runs in it,
 * since no thread can be ended alone. What the process as a whole may use is looked at here when nothing runs in the
 * main shell; otherwise limits does it.
 */
static enum limit look_at_time(struct subshell *subshell)
{
    if (subshell->due_ms != 0 && question_stops_all(subshell->kernel))
        subshell->due_ms += TICK_MS;
    if (subshell->due_ms == 0 || loop_now_ms() < subshell->due_ms)
        return LIMIT_NONE;
    if (subshell->is_interrupted)
        return LIMIT_TIMEOUT;
    subshell->is_interrupted = true;
    subshell->due_ms = loop_now_ms() + subshell->kernel->limits.values.grace_seconds * 1000;
    subshell_order(subshell, ASIDE_INTERRUPT_SUBSHELL, subshell->queue.running->cell, -1);
    return LIMIT_NONE;
}

static int on_tick(void *context)
{
    struct kernel *kernel = context;
    enum limit limit = LIMIT_NONE;

    if (!subshells_work(kernel))
        return 0;
    FOR_EACH_SUBSHELL(subshell, kernel)
        if (limit == LIMIT_NONE && subshell->queue.running != NULL)
            limit = look_at_time(subshell);
    if (limit == LIMIT_NONE)
        limit = limits_look(&kernel->limits);
    if (limit != LIMIT_NONE) {
        cleanup_free char *reason = xasprintf(
            "a cell of a subshell exceeded %s: a thread cannot be ended alone", limits_name(limit));

        kernel->subshells.has_breached = true;
        guard_process_condemn(&kernel->guard, reason);
        return 0;
    }
    loop_timer_start(&kernel->subshells.tick, TICK_MS);
    return 0;
}

static void begin_limits(struct subshell *subshell, long deadline_seconds)
{
    struct kernel *kernel = subshell->kernel;
    long seconds = limits_shorter(kernel->limits.values.timeout_seconds, deadline_seconds);

    subshell->is_interrupted = false;
    subshell->due_ms = seconds != 0 ? loop_now_ms() + seconds * 1000 : 0;
    limits_begin_look(&kernel->limits);
    loop_timer_start(&kernel->subshells.tick, TICK_MS);
}

/* ---- requests -------------------------------------------------------------------------------- */

static int run(struct subshell *subshell, struct request *request)
{
    struct kernel *kernel = subshell->kernel;
    int result;

    subshell->queue.running = request;
    request->cell = cells_add(kernel->cells, request->message->header, request->execute.silent);
    result = request->type->run(kernel, request);
    if (result != 0 || subshell->queue.running != request)
        return result; /* it is closed already */
    restore_note_request(kernel, request);
    begin_limits(subshell, request->execute.deadline_seconds);
    return request_open(request);
}

static int go_on(struct subshell *subshell)
{
    if (subshell->state == SUBSHELL_ENDING && subshell->queue.running == NULL && subshell->queue.first == NULL)
        subshell_close_thread(subshell);
    return 0;
}

int subshell_run_next(struct subshell *subshell)
{
    int result = 0;

    while (result == 0 && (subshell->state == SUBSHELL_OPEN || subshell->state == SUBSHELL_ENDING) && subshell->queue.running == NULL) {
        struct request *request = queue_pop(&subshell->queue);

        if (request == NULL) {
            restore_when_idle(subshell->kernel);
            break;
        }
        result = request->is_cancelled ? request_abort(request) : run(subshell, request);
    }
    return result != 0 ? result : go_on(subshell);
}

int subshell_enqueue(struct subshell *subshell, struct request *request)
{
    request->subshell = subshell;
    subshell->used = request->arrival;
    subshell->has_console = subshell->has_console || !comm_order_is_comm(request);
    comm_order_follow(subshell->kernel, request, subshell);
    queue_push(&subshell->queue, request);
    return subshell_run_next(subshell);
}

int subshell_interrupt(struct subshell *subshell)
{
    if (subshell->queue.running == NULL)
        return queue_abort_executes(&subshell->queue);
    queue_cancel_executes(&subshell->queue);
    subshell_order(subshell, ASIDE_INTERRUPT_SUBSHELL, subshell->queue.running->cell, -1);
    return 0;
}

void subshells_interrupt_comms(struct kernel *kernel)
{
    FOR_EACH_SUBSHELL(subshell, kernel)
        if (subshell->queue.running != NULL && comm_order_is_comm(subshell->queue.running))
            subshell_order(subshell, ASIDE_INTERRUPT_SUBSHELL, subshell->queue.running->cell, -1);
}

void subshells_init(struct kernel *kernel)
{
    unsigned number = 0;

    FOR_EACH_SUBSHELL(subshell, kernel) {
        *subshell = (struct subshell){.kernel = kernel, .number = ++number, .link = -1};
        frame_writer_init(&subshell->writer);
    }
    kernel->subshells.tick = (struct loop_timer){.callback = on_tick, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->subshells.tick);
}
