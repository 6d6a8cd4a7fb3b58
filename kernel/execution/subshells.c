#include "kernel/execution/subshells.h"

#include "guard/link/aside.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

#include <poll.h>
#include <sys/socket.h>

enum { TICK_MS = 250, ID_SHOWN = 100 };

/* ---- looking --------------------------------------------------------------------------------- */

#define FOR_EACH(subshell, kernel)                                                                 \
    for (struct subshell *subshell = (kernel)->subshells.items;                                    \
         subshell < (kernel)->subshells.items + SUBSHELLS_MAX; subshell++)

static struct subshell *find_id(struct kernel *kernel, struct bytes id)
{
    FOR_EACH(subshell, kernel)
        if (subshell->state != SUBSHELL_NONE && bytes_equal_string(id, subshell->id))
            return subshell;
    return NULL;
}

/* The member of this name; false when it is there and names no subshell. */
static bool find_named(struct kernel *kernel, struct bytes object, struct subshell **ret_subshell)
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
    return find_named(kernel, message->header, ret_subshell) &&
           (*ret_subshell == NULL || (*ret_subshell)->state <= SUBSHELL_OPEN);
}

int subshells_refuse_unknown(struct request *request, struct bytes named_in)
{
    cleanup_buffer struct buffer id = BUFFER_NONE;

    if (!json_text_member_string(named_in, "subshell_id", &id))
        buffer_append_string(&id, "");
    return request_refuse(request, "UnknownSubshellError", "Unknown subshell_id '%.*s'", (int)(id.size < ID_SHOWN ? id.size : ID_SHOWN),
                          id.data != NULL ? id.data : "");
}

struct request *subshells_running(struct kernel *kernel, uint32_t cell)
{
    FOR_EACH(subshell, kernel)
        if (subshell->queue.running != NULL && subshell->queue.running->cell == cell)
            return subshell->queue.running;
    return NULL;
}

struct request *subshells_asking(struct kernel *kernel, const struct message *answer,
                                 bool (*answers)(const struct message *answer, const char *input_msg_id))
{
    FOR_EACH(subshell, kernel) {
        struct request *running = subshell->queue.running;

        if (running != NULL && running->input_msg_id != NULL && answers(answer, running->input_msg_id))
            return running;
    }
    return NULL;
}

struct request *subshells_find_request(struct kernel *kernel, bool (*is_it)(struct request *request, void *context), void *context)
{
    FOR_EACH(subshell, kernel) {
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
    FOR_EACH(subshell, (struct kernel *)kernel)
        if (subshell->queue.running != NULL)
            return true;
    return false;
}

bool subshells_work_beside(const struct request *request)
{
    FOR_EACH(subshell, request->kernel)
        if (subshell != request->subshell && subshell->queue.running != NULL)
            return true;
    return false;
}

/* ---- its thread ------------------------------------------------------------------------------ */

static int on_writable(void *context)
{
    struct subshell *subshell = context;
    bool waits = frame_writer_flush(&subshell->writer, subshell->link) == LINK_E_AGAIN;

    if (waits && !subshell->is_writing)
        loop_add(subshell->kernel->loop, &subshell->source);
    else if (!waits && subshell->is_writing)
        loop_remove(subshell->kernel->loop, &subshell->source);
    subshell->is_writing = waits;
    return 0;
}

void subshell_send(struct subshell *subshell, const struct frame *frame)
{
    frame_writer_push(&subshell->writer, frame);
    on_writable(subshell);
}

static void order(struct subshell *subshell, uint32_t type, uint32_t cell, int fd)
{
    struct aside_head head = {.type = type, .cell = cell, .until_ms = INT64_MAX};

    if (!guard_process_order_aside(&subshell->kernel->guard, &head, fd))
        log_error("the guard cannot be told about a subshell: %s", strerror(errno));
}

static void close_link(struct subshell *subshell)
{
    if (subshell->is_writing)
        loop_remove(subshell->kernel->loop, &subshell->source);
    subshell->is_writing = false;
    if (subshell->link >= 0)
        close(steal_fd(&subshell->link));
    frame_writer_finish(&subshell->writer);
    frame_writer_init(&subshell->writer);
}

static bool open_thread(struct subshell *subshell)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return false;
    subshell->link = ends[0];
    subshell->source = (struct loop_source){
        .fd = ends[0], .events = POLLOUT, .callback = on_writable, .context = subshell};
    subshell->state = SUBSHELL_OPENING;
    order(subshell, ASIDE_OPEN_SUBSHELL, subshell->number, ends[1]);
    close(ends[1]);
    return true;
}

/* Nothing of it is left. */
static void forget(struct subshell *subshell)
{
    close_link(subshell);
    subshell->state = SUBSHELL_NONE;
    subshell->waiter = NULL;
}

/* The thread sees the end of its socket; when it is over, the guard says so. */
static void close_thread(struct subshell *subshell)
{
    subshell->state = SUBSHELL_CLOSING;
    close_link(subshell);
    order(subshell, ASIDE_CLOSE_SUBSHELL, subshell->number, -1);
}

/* ---- limits ---------------------------------------------------------------------------------- */

/*
 * Time is each cell's own: an interrupt, and after the time of grace the end of the guard with all that runs in it,
 * since no thread can be ended alone. What the process as a whole may use is looked at here when nothing runs in the
 * main shell; otherwise limits does it.
 */
static enum limit look_at_time(struct subshell *subshell)
{
    if (subshell->due_ms == 0 || loop_now_ms() < subshell->due_ms)
        return LIMIT_NONE;
    if (subshell->is_interrupted)
        return LIMIT_TIMEOUT;
    subshell->is_interrupted = true;
    subshell->due_ms = loop_now_ms() + subshell->kernel->limits.values.grace_seconds * 1000;
    order(subshell, ASIDE_INTERRUPT_SUBSHELL, subshell->queue.running->cell, -1);
    return LIMIT_NONE;
}

static int on_tick(void *context)
{
    struct kernel *kernel = context;
    enum limit limit = LIMIT_NONE;

    if (!subshells_work(kernel))
        return 0;
    FOR_EACH(subshell, kernel)
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
        close_thread(subshell);
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
    comm_order_follow(subshell->kernel, request, subshell);
    queue_push(&subshell->queue, request);
    return subshell_run_next(subshell);
}

int subshell_interrupt(struct subshell *subshell)
{
    if (subshell->queue.running == NULL)
        return queue_abort_executes(&subshell->queue);
    queue_cancel_executes(&subshell->queue);
    order(subshell, ASIDE_INTERRUPT_SUBSHELL, subshell->queue.running->cell, -1);
    return 0;
}

void subshells_interrupt_comms(struct kernel *kernel)
{
    FOR_EACH(subshell, kernel)
        if (subshell->queue.running != NULL && comm_order_is_comm(subshell->queue.running))
            order(subshell, ASIDE_INTERRUPT_SUBSHELL, subshell->queue.running->cell, -1);
}

/* ---- making and ending them ------------------------------------------------------------------ */

int subshells_create(struct kernel *kernel, struct request *request)
{
    FOR_EACH(subshell, kernel) {
        if (subshell->state != SUBSHELL_NONE)
            continue;
        session_random_uuid(subshell->id);
        subshell->state = SUBSHELL_WANTED;
        subshell->waiter = request;
        if (kernel->guard.state == GUARD_STARTING)
            return 0;
        if (kernel->guard.state == GUARD_READY && open_thread(subshell))
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
    return result != 0 ? result : kernel_run_next(kernel);
}

int subshells_begin(struct kernel *kernel)
{
    int result = 0;

    FOR_EACH(subshell, kernel)
        if (result == 0 && subshell->state == SUBSHELL_WANTED && !open_thread(subshell))
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
    if (!find_named(kernel, request_content(request), &subshell) || subshell == NULL ||
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
    return result != 0 ? result : kernel_run_next(kernel);
}

int subshells_list(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    const char *comma = "";

    buffer_append_string(&content, "{\"status\":\"ok\",\"subshell_id\":[");
    FOR_EACH(subshell, kernel)
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
    close_link(subshell);
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
    FOR_EACH(subshell, kernel)
        if (result == 0 && subshell->state != SUBSHELL_NONE)
            result = suspend(subshell, ename, why);
    return result;
}

int subshells_end(struct kernel *kernel, const char *ename, const char *why)
{
    int result = 0;

    FOR_EACH(subshell, kernel) {
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

void subshells_init(struct kernel *kernel)
{
    unsigned number = 0;

    FOR_EACH(subshell, kernel) {
        *subshell = (struct subshell){.kernel = kernel, .number = ++number, .link = -1};
        frame_writer_init(&subshell->writer);
    }
    kernel->subshells.tick = (struct loop_timer){.callback = on_tick, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->subshells.tick);
}
