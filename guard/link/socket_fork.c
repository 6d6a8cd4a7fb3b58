#include "guard/link/socket_fork.h"

#include "guard/link/cleanup.h"

#include <sys/socket.h>

pid_t socket_fork(int *ret_end)
{
    cleanup_close int parent_end = -1;
    cleanup_close int child_end = -1;
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    parent_end = ends[0];
    child_end = ends[1];
    pid = fork();
    if (pid < 0)
        return -errno;
    *ret_end = steal_fd(pid == 0 ? &child_end : &parent_end);
    return pid;
}
