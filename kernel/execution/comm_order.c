#include "kernel/execution/comm_order.h"

#include "kernel/execution/main_shell.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

enum { PATIENCE_MS = 1000 }; /* people do not take a shorter wait for a fault, and most callbacks are over by then */

bool comm_order_is_comm(const struct request *request)
{
    return request->type->reply_type == NULL;
}

/* ---- cells that wait ------------------------------------------------------------------------- */

static bool came_before(const struct request *request, uint64_t cell)
{
    return comm_order_is_comm(request) && request->arrival < cell && !request->is_overtaken;
}

/* What stands behind one that was overtaken would be waited for in vain. */
static bool is_awaited(struct request *request, void *cell)
{
    const struct request *running = request->subshell->queue.running;

    return came_before(request, *(uint64_t *)cell) && !(running != NULL && running->is_overtaken);
}

static bool overtake(struct request *request, void *cell)
{
    if (came_before(request, *(uint64_t *)cell))
        request->is_overtaken = true;
    return false; /* the next one, too */
}

bool comm_order_holds(struct kernel *kernel)
{
    struct comm_order *order = &kernel->comm_order;
    const struct request *first = kernel->queue.first;
    uint64_t cell = first != NULL && first->type == &execute_request ? first->arrival : 0;

    if (cell == 0 || first->is_cancelled || !subshells_find_request(kernel, is_awaited, &cell)) {
        loop_timer_stop(&order->timer);
        order->cell = 0;
        return false;
    }
    if (order->cell != cell)
        loop_timer_start(&order->timer, PATIENCE_MS);
    order->cell = cell;
    return true;
}

int comm_order_note_done(struct kernel *kernel, uint64_t arrival)
{
    if (arrival > kernel->comm_order.cell) /* so, too, when no cell waits */
        return 0;
    loop_timer_start(&kernel->comm_order.timer, PATIENCE_MS);
    return main_shell_run_next(kernel);
}

static int on_timer(void *context)
{
    struct kernel *kernel = context;
    uint64_t cell = kernel->comm_order.cell;

    subshells_find_request(kernel, overtake, &cell);
    return main_shell_run_next(kernel);
}

/* ---- messages of one comm -------------------------------------------------------------------- */

static bool read_id(const struct request *request, struct buffer *ret_id)
{
    return json_text_member_string(request_content(request), "comm_id", ret_id);
}

static bool is_of(const struct request *request, struct bytes id)
{
    cleanup_buffer struct buffer own = BUFFER_NONE;

    return comm_order_is_comm(request) && read_id(request, &own) && bytes_equal(buffer_bytes(&own), id);
}

void comm_order_follow(struct kernel *kernel, const struct request *request, struct subshell *subshell)
{
    cleanup_buffer struct buffer id = BUFFER_NONE;
    struct request *waiting = kernel->queue.first;

    if (!comm_order_is_comm(request) || waiting == NULL || !read_id(request, &id))
        return;
    while (waiting != NULL) {
        struct request *found = waiting;

        waiting = waiting->next;
        if (!is_of(found, buffer_bytes(&id)))
            continue;
        queue_remove(&kernel->queue, found);
        found->subshell = subshell;
        queue_insert(&subshell->queue, found);
    }
}

void comm_order_init(struct kernel *kernel)
{
    kernel->comm_order.timer = (struct loop_timer){.callback = on_timer, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->comm_order.timer);
}
