#include "kernel/execution/hurry.h"

#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

enum {
    ANSWER_MS = 3000, /* the first completion of a session imports jedi; front ends have given up by then */
    AGAIN_MS = 500,
};

static bool is_hurried(const struct kernel *kernel)
{
    const struct request *running = kernel->queue.running;

    return running != NULL && (running->type == &complete_request || running->type == &inspect_request);
}

static int on_timer(void *context)
{
    struct kernel *kernel = context;

    if (!is_hurried(kernel))
        return 0;
    guard_process_interrupt(&kernel->guard);
    loop_timer_start(&kernel->hurry_timer, AGAIN_MS);
    return 0;
}

void hurry_begin(struct kernel *kernel)
{
    loop_timer_stop(&kernel->hurry_timer);
    if (is_hurried(kernel))
        loop_timer_start(&kernel->hurry_timer, ANSWER_MS);
}

void hurry_init(struct kernel *kernel)
{
    kernel->hurry_timer = (struct loop_timer){.callback = on_timer, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->hurry_timer);
}
