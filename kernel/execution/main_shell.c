#include "kernel/execution/main_shell.h"

#include "kernel/execution/hurry.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

/* The guard gets to work first; its answers are read when what is published here is on its way. */
static int run_request(struct kernel *kernel, struct request *request)
{
    kernel->queue.running = request;
    request->cell = cells_add(kernel->cells, request->message->header, request->execute.silent);
    kernel->guard.request = request->cell;
    restore_before_request(kernel, request);
    return main_shell_run_again(kernel);
}

int main_shell_run_again(struct kernel *kernel)
{
    struct request *request = kernel->queue.running;
    int result = request->type->run(kernel, request);

    if (result != 0 || kernel->queue.running != request)
        return result; /* it is closed already */
    if (!kernel->restore.waits) {
        limits_begin(&kernel->limits, request->execute.deadline_seconds);
        restore_note_request(kernel, request);
        hurry_begin(kernel);
    }
    return request_open(request);
}

int main_shell_run_next(struct kernel *kernel)
{
    int result = 0;

    while (result == 0 && kernel->guard.state == GUARD_READY && kernel->queue.running == NULL && !kernel->is_aborting &&
           !comm_order_holds(kernel)) {
        struct request *request = queue_pop(&kernel->queue);

        if (request == NULL) {
            restore_when_idle(kernel);
            return 0;
        }
        result = request->is_cancelled ? request_abort(request) : run_request(kernel, request);
    }
    return result;
}

bool main_shell_runs_cell(const struct kernel *kernel)
{
    const struct request *running = kernel->queue.running;

    return running != NULL && (running->type == &execute_request || running->type->reply_type == NULL);
}

int main_shell_read_before_error(struct kernel *kernel)
{
    int result;

    kernel->is_aborting = true; /* what is read now would run the first that waits */
    result = channels_read_shell(&kernel->channels);
    kernel->is_aborting = false;
    return result;
}

/* A trial that waits for its copy has not begun: it is stopped as what waits behind it. Returns 0 or -errno. */
static int abort_waiting(struct kernel *kernel)
{
    struct request *trial = restore_take_waiting(kernel);

    return trial != NULL ? request_abort(trial) : 0;
}

int main_shell_interrupt(struct kernel *kernel)
{
    const struct request *running = kernel->queue.running;
    /* What was sent before the interrupt is stopped by it, though it came on another socket. */
    int result = channels_read_shell(&kernel->channels);

    if (result == 0 && running != NULL && running == kernel->queue.running)
        result = abort_waiting(kernel);
    if (result != 0)
        return result;
    subshells_interrupt_comms(kernel);
    /* Not a cell that reading has just started: nothing ran when the interrupt came. */
    if (running == NULL || running != kernel->queue.running) {
        result = queue_abort_executes(&kernel->queue);
        return result != 0 ? result : main_shell_run_next(kernel); /* behind a cell that had to wait */
    }
    queue_cancel_executes(&kernel->queue);
    if (deaf_take_interrupt(kernel))
        return 0;
    guard_process_interrupt(&kernel->guard);
    kernel->question.interrupted_cell = running->cell;
    question_close(kernel, ANSWER_INTERRUPTED); /* after the signal: the guard looks for it */
    errand_interrupt(kernel);
    return 0;
}
