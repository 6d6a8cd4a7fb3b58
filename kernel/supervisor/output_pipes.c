#include "kernel/supervisor/output_pipes.h"

#include "guard/link/cleanup.h"

#include <poll.h>
#include <sys/ioctl.h>

enum {
    BITE_BYTES = 64 * 1024,
    DRAIN_BYTES = 16 * 1024 * 1024, /* read from a pipe that is still being filled, at the end */
};

static void close_one(struct output_pipes *pipes, int index)
{
    if (pipes->fds[index] < 0)
        return;
    loop_remove(pipes->loop, &pipes->sources[index]);
    close(steal_fd(&pipes->fds[index]));
}

/* Reads one pipe until it is empty, closed, or `limit` bytes have come. Returns 0 or -errno. */
static int drain_one(struct output_pipes *pipes, int index, size_t limit)
{
    static char bytes[BITE_BYTES];
    size_t total = 0;

    while (pipes->fds[index] >= 0 && total < limit) {
        ssize_t count = read(pipes->fds[index], bytes, sizeof(bytes));
        int result;

        if (count < 0)
            return 0; /* empty */
        if (count == 0) {
            close_one(pipes, index);
            return 0;
        }
        total += (size_t)count;
        result = pipes->take(pipes->context, index, (struct bytes){bytes, (size_t)count});
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

void output_pipes_init(struct output_pipes *pipes, struct loop *loop, output_pipe_bytes *take, void *context)
{
    *pipes = (struct output_pipes){.loop = loop, .take = take, .context = context, .fds = {-1, -1}};
}

void output_pipes_open(struct output_pipes *pipes, const int fds[2])
{
    static const loop_callback callbacks[2] = {on_stdout, on_stderr};

    output_pipes_close(pipes);
    for (int i = 0; i < 2; i++) {
        pipes->fds[i] = fds[i];
        if (fds[i] < 0)
            continue;
        pipes->sources[i] = (struct loop_source){
            .fd = fds[i], .events = POLLIN, .callback = callbacks[i], .context = pipes};
        loop_add(pipes->loop, &pipes->sources[i]);
    }
}

void output_pipes_close(struct output_pipes *pipes)
{
    for (int i = 0; i < 2; i++)
        close_one(pipes, i);
}

void output_pipes_set_paused(struct output_pipes *pipes, bool paused)
{
    for (int i = 0; i < 2; i++)
        pipes->sources[i].paused = paused;
}

int output_pipes_drain(struct output_pipes *pipes)
{
    int result = 0;

    for (int i = 0; result == 0 && i < 2; i++) {
        int waiting = 0;

        /* Asking is cheaper than failing to read, and this runs before every reply. */
        if (pipes->fds[i] >= 0 && ioctl(pipes->fds[i], FIONREAD, &waiting) == 0 && waiting > 0)
            result = drain_one(pipes, i, DRAIN_BYTES);
    }
    return result;
}
