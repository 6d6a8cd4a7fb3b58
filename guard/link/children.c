#include "guard/link/children.h"

#include "guard/link/cleanup.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { KILL_ROUNDS = 200 };

bool children_kill(children_spared *is_spared, void *context)
{
    cleanup_file FILE *children = fopen("/proc/thread-self/children", "re");
    bool found = false;
    int pid;

    while (children != NULL && fscanf(children, "%d", &pid) == 1) {
        if (is_spared != NULL && is_spared(context, pid))
            continue;
        found = true;
        kill(pid, SIGKILL);
    }
    return found;
}

void children_end_all(void)
{
    static const struct timespec pause = {.tv_nsec = 1000000};

    for (int round = 0; round < KILL_ROUNDS && children_kill(NULL, NULL); round++) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        nanosleep(&pause, NULL);
    }
    _exit(0);
}
