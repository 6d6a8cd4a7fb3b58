#include "kernel/supervisor/guard_outputs.h"

#include "guard/link/cleanup.h"

#include <poll.h>
#include <sys/ioctl.h>

enum {
    BITE_BYTES = 64 * 1024,
    DRAIN_BYTES = 16 * 1024 * 1024, /* read from a pipe that is still being filled, at the end */
};

static const enum frame_type types[2] = {FRAME_STDOUT, FRAME_STDERR};

static void close_one(struct guard_outputs *outputs, int index)
{
    if (outputs->fds[index] < 0)
        return;
    loop_remove(outputs->loop, &outputs->sources[index]);
    close(steal_fd(&outputs->fds[index]));
}

/* Reads one pipe until it is empty, closed, or `limit` bytes have come. Returns 0 or -errno. */
static int drain_one(struct guard_outputs *outputs, int index, size_t limit)
{
    static char bytes[BITE_BYTES];
    size_t total = 0;

    while (outputs->fds[index] >= 0 && total < limit) {
        ssize_t count = read(outputs->fds[index], bytes, sizeof(bytes));
        int result;

        if (count < 0)
            return 0; /* empty */
        if (count == 0) {
            close_one(outputs, index);
            return 0;
        }
        total += (size_t)count;
        result = outputs->take(outputs->context, types[index], (struct bytes){bytes, (size_t)count});
        if (result < 0)
            return result;
    }
    return 0;
}

static int on_stdout(void *context)
{
    return drain_one(context, 0, BITE_BYTES);
}

static int on_stderr(void *context)
{
    return drain_one(context, 1, BITE_BYTES);
}

void guard_outputs_init(struct guard_outputs *outputs, struct loop *loop, guard_output *take, void *context)
{
    *outputs = (struct guard_outputs){.loop = loop, .take = take, .context = context, .fds = {-1, -1}};
}

void guard_outputs_open(struct guard_outputs *outputs, const int fds[2])
{
    static const loop_callback callbacks[2] = {on_stdout, on_stderr};

    guard_outputs_close(outputs);
    for (int i = 0; i < 2; i++) {
        outputs->fds[i] = fds[i];
        outputs->sources[i] = (struct loop_source){
            .fd = fds[i], .events = POLLIN, .callback = callbacks[i], .context = outputs};
        loop_add(outputs->loop, &outputs->sources[i]);
    }
}

void guard_outputs_close(struct guard_outputs *outputs)
{
    for (int i = 0; i < 2; i++)
        close_one(outputs, i);
}

void guard_outputs_set_paused(struct guard_outputs *outputs, bool paused)
{
    for (int i = 0; i < 2; i++)
        outputs->sources[i].paused = paused;
}

int guard_outputs_drain(struct guard_outputs *outputs)
{
    int result = 0;

    for (int i = 0; result == 0 && i < 2; i++) {
        int waiting = 0;

        /* Asking is cheaper than failing to read, and this runs before every reply. */
        if (outputs->fds[i] >= 0 && ioctl(outputs->fds[i], FIONREAD, &waiting) == 0 && waiting > 0)
            result = drain_one(outputs, i, DRAIN_BYTES);
    }
    return result;
}
