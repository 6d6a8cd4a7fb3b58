#include "kernel/execution/subshell_thread.h"

#include "guard/link/aside.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"

#include <poll.h>
#include <sys/socket.h>

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

void subshell_order(struct subshell *subshell, uint32_t type, uint32_t cell, int fd)
{
    struct aside_head head = {.type = type, .cell = cell, .until_ms = INT64_MAX};

    if (!guard_process_order_aside(&subshell->kernel->guard, &head, fd))
        log_error("the guard cannot be told about a subshell: %s", strerror(errno));
}

void subshell_close_link(struct subshell *subshell)
{
    if (subshell->is_writing)
        loop_remove(subshell->kernel->loop, &subshell->source);
    subshell->is_writing = false;
    if (subshell->link >= 0)
        close(steal_fd(&subshell->link));
    frame_writer_finish(&subshell->writer);
    frame_writer_init(&subshell->writer);
}

bool subshell_open_thread(struct subshell *subshell)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return false;
    subshell->link = ends[0];
    subshell->source = (struct loop_source){
        .fd = ends[0], .events = POLLOUT, .callback = on_writable, .context = subshell};
    subshell->state = SUBSHELL_OPENING;
    subshell_order(subshell, ASIDE_OPEN_SUBSHELL, subshell->number, ends[1]);
    close(ends[1]);
    return true;
}

void subshell_close_thread(struct subshell *subshell)
{
    subshell->state = SUBSHELL_CLOSING;
    subshell_close_link(subshell);
    subshell_order(subshell, ASIDE_CLOSE_SUBSHELL, subshell->number, -1);
}
