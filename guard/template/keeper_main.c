/*
 * safepyrun-keeper: what a keeper is once its guard is there (keeper.h)
 *
 * Started by a process that has become a subreaper, with SIGCHLD blocked, its guard as its child, and the
 * connection to the kernel process as descriptor 3. Small, because there is one for each kernel.
 */
#include "guard/link/children.h"
#include "guard/link/passing.h"
#include "guard/link/template_request.h"
#include "guard/template/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct template_answer answer = {pid, status, getpid()};

        passing_send(KEEPER_CONNECTION_FD, (struct bytes){&answer, sizeof(answer)}, &PASSED_NONE, MSG_DONTWAIT);
    }
}

static int watch_children(void)
{
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    return signalfd(-1, &children, SFD_CLOEXEC);
}

/* Until the kernel process closes its end, be it on purpose or because it is gone. */
int main(void)
{
    /* What can be read there is the guard's: its environment. */
    struct pollfd sources[2] = {{KEEPER_CONNECTION_FD, POLLRDHUP, 0}, {watch_children(), POLLIN, 0}};

    prctl(PR_SET_NAME, "safepyrun-keeper");
    if (sources[1].fd < 0)
        children_end_all();
    for (;;) {
        struct signalfd_siginfo info;

        if (poll(sources, 2, -1) < 0)
            continue;
        if (sources[1].revents != 0 && read(sources[1].fd, &info, sizeof(info)) > 0)
            reap();
        if (sources[0].revents != 0)
            children_end_all();
    }
}
