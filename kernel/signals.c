#include "kernel/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t watched(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    return signals;
}

void signals_block(void)
{
    sigset_t signals = watched();

    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

void signals_watch(struct loop *loop, struct loop_source *source, loop_callback callback, void *context)
{
    sigset_t signals = watched();

    signals_block();
    *source = (struct loop_source){
        .fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK),
        .events = POLLIN,
        .callback = callback,
        .context = context,
    };
    loop_add(loop, source);
}

int signals_read(const struct loop_source *source)
{
    struct signalfd_siginfo info;

    return read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}
