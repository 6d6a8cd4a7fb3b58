#include "guard/template/keeper.h"

#include "guard/link/passing.h"
#include "guard/link/template_request.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#endif
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum {
    FREE_FD = 32, /* above all numbers that the guard gets */
    REQUEST_SECONDS = 1, /* the template stands still meanwhile; the request is sent with the connection */
};

struct received {
    struct template_request request;
    struct passed passed;
};

/* The request and what came with it; what does not look like one is nobody of ours. */
static bool receive(int connection, struct received *ret_received)
{
    return passing_receive(connection, &ret_received->request, sizeof(ret_received->request), MSG_WAITALL,
                           &ret_received->passed) == (ssize_t)sizeof(ret_received->request);
}

/* ---- in the guard ------------------------------------------------------------------------------ */

static void __attribute__((noreturn)) give_up(void)
{
    _exit(1); /* the kernel process sees the end of its link and starts a guard itself */
}

/* As posix_spawn() would have left them. Above the numbers in use first: none may be overwritten. */
static void place_descriptors(const struct received *received, int *connection)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fds[TEMPLATE_FD_COUNT];

    *connection = fcntl(*connection, F_DUPFD_CLOEXEC, FREE_FD);
    for (int i = 0; i < TEMPLATE_FD_COUNT; i++) {
        fds[i] = fcntl(received->passed.fds[i], F_DUPFD_CLOEXEC, FREE_FD);
        if (fds[i] < 0)
            give_up();
    }
    if (null < 0 || *connection < 0 || dup2(null, 0) < 0 || dup2(fds[TEMPLATE_FD_STDOUT], 1) < 0 ||
        dup2(fds[TEMPLATE_FD_STDERR], 2) < 0 || fchdir(fds[TEMPLATE_FD_FOLDER]) < 0)
        give_up();
    for (int i = TEMPLATE_FD_LINK; i < TEMPLATE_FD_COUNT; i++)
        if (dup3(fds[i], KEEPER_LINK_FD + i - TEMPLATE_FD_LINK, O_CLOEXEC) < 0)
            give_up();
}

/*
 * The kernel forgets a thread's rseq area with vfork(), and a fork of the keeper inherits that: without this,
 * sched_getcpu() would name for ever the processor on which the template stood. Source: rseq(2).
 */
static void register_rseq(void)
{
#if __GLIBC_PREREQ(2, 35)
    enum { AREA_BYTES = 32 };

    if (__rseq_size != 0)
        syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, AREA_BYTES, 0, RSEQ_SIG);
#endif
}

/* What a process that was started by exec would be; the group dies with it, the session is its own. */
static void become_guard(const struct received *received, pid_t keeper, int *connection)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper || setsid() < 0)
        give_up();
    register_rseq();
    umask((mode_t)received->request.umask);
    place_descriptors(received, connection);
}

/* ---- in the keeper ----------------------------------------------------------------------------- */

static bool send_answer(int connection, struct template_answer answer, const struct passed *pidfd)
{
    return passing_send(connection, (struct bytes){&answer, sizeof(answer)}, pidfd, MSG_DONTWAIT) == 0;
}

/* The program is there before anything else in it: SIGCHLD stays blocked, and what has come by then stays pending. */
static void __attribute__((noreturn)) become_program(int connection, int program_fd)
{
    static const char *const arguments[] = {"safepyrun-keeper", NULL};
    static const char *const environment[] = {NULL};

    if (connection == KEEPER_CONNECTION_FD)
        fcntl(connection, F_SETFD, 0);
    else if (program_fd == KEEPER_CONNECTION_FD || dup2(connection, KEEPER_CONNECTION_FD) < 0)
        _exit(1);
    /* What a library left open without O_CLOEXEC. Before Linux 5.11 it stays open, and does no harm. */
    syscall(SYS_close_range, KEEPER_CONNECTION_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    syscall(SYS_execveat, program_fd, "", arguments, environment, AT_EMPTY_PATH);
    _exit(1); /* the guard dies with its parent */
}

static void block_news_of_children(void)
{
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
}

/* Returns in the guard. */
static void fork_guard(int *connection, struct received *received, int program_fd)
{
    pid_t keeper = getpid();
    pid_t guard;
    int pidfd;

    if (received->passed.count != TEMPLATE_FD_COUNT)
        _exit(1);
    block_news_of_children();
    guard = fork();
    if (guard == 0) {
        become_guard(received, keeper, connection);
        return;
    }
    if (guard < 0)
        _exit(1);
    passed_close(&received->passed);
    pidfd = (int)syscall(SYS_pidfd_open, guard, 0);
    if (pidfd < 0 || !send_answer(*connection, (struct template_answer){guard, 0, keeper},
                                  &(struct passed){{pidfd}, 1}))
        _exit(1);
    become_program(*connection, program_fd);
}

static void __attribute__((noreturn)) tell(int connection, const char *text)
{
    send(connection, text, strlen(text), MSG_NOSIGNAL);
    _exit(0);
}

int keeper_serve(int connection, const struct keeper_news *news, unsigned *ret_environment_bytes)
{
    static const struct timeval limit = {.tv_sec = REQUEST_SECONDS};
    struct received received = {.passed = PASSED_NONE};

    signal(SIGCHLD, SIG_DFL);
    setsid(); /* the template may be ended with its group; we are not part of it */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (!receive(connection, &received))
        _exit(1);
    if (received.request.kind == TEMPLATE_STATUS)
        tell(connection, news->description);
    if (received.request.kind == TEMPLATE_STOP) {
        kill(news->template_pid, SIGTERM);
        tell(connection, "stopped\n");
    }
    if (received.request.kind != TEMPLATE_FORK ||
        received.request.environment_bytes > TEMPLATE_ENVIRONMENT_BYTES_MAX)
        _exit(1);
    fork_guard(&connection, &received, news->program_fd);
    *ret_environment_bytes = received.request.environment_bytes;
    return connection;
}
