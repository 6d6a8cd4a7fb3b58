#include "kernel/execution/deaf.h"

#include "kernel/kernel.h"

/* Less than the grace of a limit: somebody sits there and waits, and ends the cell only if he asks again. */
enum { PATIENCE_MS = 1000 };

static bool is_deaf(const struct kernel *kernel)
{
    const struct request *running = kernel->queue.running;

    return running != NULL && running->cell == kernel->deaf.cell && !kernel->question.is_open &&
           copies_newest(&kernel->copies) != NULL;
}

static int on_timer(void *context)
{
    struct kernel *kernel = context;

    if (!is_deaf(kernel))
        return 0;
    return outputs_write(&kernel->outputs, STREAM_STDERR, kernel->deaf.cell,
                         BYTES_LITERAL("[safepyrun: the interrupt waits for native code, which has taken no notice of it for a second. "
                                       "Interrupt again to end the cell: variables will be as they were before it.]\n"));
}

bool deaf_take_interrupt(struct kernel *kernel)
{
    const struct request *running = kernel->queue.running;

    if (kernel->deaf.cell != running->cell) {
        kernel->deaf.cell = running->cell;
        kernel->deaf.since_ms = loop_now_ms();
        loop_timer_start(&kernel->deaf.timer, PATIENCE_MS);
        return false;
    }
    if (!is_deaf(kernel) || loop_now_ms() - kernel->deaf.since_ms < PATIENCE_MS)
        return false;
    limits_end_deaf(&kernel->limits);
    return true;
}

int deaf_heard(struct kernel *kernel, const struct frame *frame)
{
    struct request *running = kernel->queue.running;

    (void)frame;
    kernel->deaf.cell = 0;
    loop_timer_stop(&kernel->deaf.timer);
    if (running != NULL && running->input_msg_id != NULL && !kernel->question.is_open) { /* it waits in input() no more */
        request_end_question(running);
        limits_resume(&kernel->limits);
    }
    return 0;
}

void deaf_init(struct kernel *kernel)
{
    kernel->deaf.timer = (struct loop_timer){.callback = on_timer, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->deaf.timer);
}
