/* What reaches a guard while it runs a cell and reads no frames: signals, and questions beside the link. */
#include "kernel/supervisor/guard_process.h"

#include "guard/link/descriptors.h"
#include "guard/link/passing.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_BYTES = 8192 };

void guard_process_interrupt(struct guard_process *guard)
{
    siginfo_t info = {.si_signo = SIGINT, .si_code = SI_QUEUE};

    if (guard->pid == 0)
        return;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = (int)guard->request;
    /* The process, not its group: threads and children are the guard's to stop. One that a cell has stopped
       hears nothing before it goes on. */
    syscall(SYS_pidfd_send_signal, guard->pidfd, SIGINT, &info, 0);
    syscall(SYS_pidfd_send_signal, guard->pidfd, SIGCONT, NULL, 0);
}

/* The thread that listens is started by the first question; a copy that took over has none yet. */
static void wake_listener(struct guard_process *guard)
{
    if (guard->listener != guard->pid)
        syscall(SYS_pidfd_send_signal, guard->pidfd, ASIDE_SIGNAL, NULL, 0);
    guard->listener = guard->pid;
}

bool guard_process_ask_aside(struct guard_process *guard, const struct aside_head *head, struct bytes content)
{
    struct iovec parts[2] = {{(void *)head, sizeof(*head)}, {(void *)content.data, content.size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    if (guard->pid == 0 || guard->state != GUARD_READY || content.size > ASIDE_BYTES_MAX ||
        sendmsg(guard->aside_socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return false;
    wake_listener(guard);
    return true;
}

bool guard_process_order_aside(struct guard_process *guard, const struct aside_head *head, int fd)
{
    struct passed passed = {.fds = {fd}, .count = fd >= 0};

    if (guard->pid == 0 ||
        passing_send(guard->aside_socket, (struct bytes){head, sizeof(*head)}, &passed, MSG_DONTWAIT) < 0)
        return false;
    wake_listener(guard);
    return true;
}

/* The main thread: others have no Python stack. */
void guard_process_note_line(struct guard_process *guard)
{
    guard_process_forget_stack(guard);
    if (guard->pid != 0)
        syscall(SYS_tgkill, guard->pid, guard->pid, LAST_LINE_SIGNAL);
}

void guard_process_forget_stack(struct guard_process *guard)
{
    if (lseek(guard->last_line, 0, SEEK_CUR) > 0 && ftruncate(guard->last_line, 0) == 0)
        lseek(guard->last_line, 0, SEEK_SET);
}

bool guard_process_has_stack(const struct guard_process *guard)
{
    char byte;

    return pread(guard->last_line, &byte, 1, 0) == 1;
}

char *guard_process_stack(const struct guard_process *guard)
{
    char text[STACK_BYTES];
    ssize_t size = pread(guard->last_line, text, sizeof(text), 0);

    return xstrndup(text, size > 0 ? (size_t)size : 0);
}
