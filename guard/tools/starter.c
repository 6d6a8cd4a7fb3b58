#include "guard/tools/starter.h"

#include "guard/link/children.h"
#include "guard/link/socket_fork.h"
#include "guard/python/py_cleanup.h"
#include "guard/tools/pool.h"
#include "guard/tools/process.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { BELL_BITE = 16 };

/* Their numbers in the starter; nothing else stays open. */
enum { BELL_FD = 3, RECORDS_FD, KERNEL_FD, SIGNALS_FD, FREE_FD = 32 };

struct starter {
    struct starter_settings settings;
    struct pool pool;
    bool serves;     /* SERVE has come */
    bool has_kernel; /* KERNEL_FD is one */
};

/* ---- what is below --------------------------------------------------------------------------- */

static void reap(struct pool *pool)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        pool_take_end(pool, pid, status);
}

static bool is_tool_process(void *context, pid_t pid)
{
    return pool_find(context, pid) != NULL;
}

/* What a tool process that has ended left behind is ended as well. */
static void take_ends(struct pool *pool)
{
    struct signalfd_siginfo info;

    while (read(SIGNALS_FD, &info, sizeof(info)) > 0)
        continue;
    reap(pool);
    if (children_kill(is_tool_process, pool))
        reap(pool);
}

/* ---- tool processes -------------------------------------------------------------------------- */

static void __attribute__((noreturn)) be_process(struct starter *starter, int control)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    if (dup2(control, PROCESS_CONTROL_FD) < 0 ||
        (starter->settings.records >= 0 && dup2(RECORDS_FD, PROCESS_RECORDS_FD) < 0))
        _exit(1);
    syscall(SYS_close_range,
            starter->settings.records >= 0 ? PROCESS_RECORDS_FD + 1 : PROCESS_CONTROL_FD + 1,
            INT_MAX, 0);
    fcntl(PROCESS_CONTROL_FD, F_SETFD, FD_CLOEXEC);
    fcntl(PROCESS_RECORDS_FD, F_SETFD, FD_CLOEXEC);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    PyOS_AfterFork_Child(); /* what the guard has begun with PyOS_BeforeFork() */
    process_serve(&starter->settings, &starter->pool.names);
}

static int start_process(void *context, struct tool_process *process)
{
    struct starter *starter = context;
    int end;
    pid_t pid = socket_fork(&end);

    if (pid < 0)
        return (int)pid;
    if (pid == 0)
        be_process(starter, end);
    *process = (struct tool_process){.pid = pid, .control = end};
    return 0;
}

/* ---- the bell -------------------------------------------------------------------------------- */

/* One process is there before the first call: running the set-up files may take a while. */
static void serve(struct starter *starter, struct tool_message *message)
{
    if (starter->serves || tool_message_text(message, &starter->pool.names) != 0)
        return;
    starter->serves = true;
    start_process(starter, &starter->pool.processes[0]);
}

static void take_bell(struct starter *starter)
{
    for (int i = 0; i < BELL_BITE; i++) {
        struct tool_message *message = xmalloc(sizeof(*message));
        int result = tool_message_receive(BELL_FD, TOOL_TO_STARTER, MSG_DONTWAIT, message);

        if (result == TOOL_E_CLOSED)
            children_end_all();
        if (result == 0 && message->type == TOOL_CALL && starter->serves) {
            pool_add(&starter->pool, message);
            continue;
        }
        if (result == 0 && message->type == TOOL_SERVE)
            serve(starter, message);
        if (result == 0)
            tool_message_finish(message); /* anything else is nothing to us */
        free(message);
        if (result == TOOL_E_AGAIN)
            return;
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

enum { FIXED = 3, SOURCES_MAX = FIXED + POOL_PROCESSES_MAX + POOL_CALLS_MAX };

struct sources {
    struct pollfd fds[SOURCES_MAX];
    struct tool_process *processes[SOURCES_MAX];
    uint32_t calls[SOURCES_MAX]; /* by number: one may be over before its turn */
    nfds_t count;
};

static void collect(struct starter *starter, struct sources *sources)
{
    *sources = (struct sources){.fds = {{BELL_FD, POLLIN, 0},
                                        {SIGNALS_FD, POLLIN, 0},
                                        {starter->has_kernel ? KERNEL_FD : -1, POLLIN, 0}},
                                .count = FIXED};
    for (size_t i = 0; i < POOL_PROCESSES_MAX; i++) {
        if (starter->pool.processes[i].control < 0)
            continue;
        sources->processes[sources->count] = &starter->pool.processes[i];
        sources->fds[sources->count++] =
            (struct pollfd){starter->pool.processes[i].control, POLLIN, 0};
    }
    for (struct tool_call *call = starter->pool.first; call != NULL; call = call->next) {
        if (call->is_told)
            continue;
        sources->calls[sources->count] = call->number;
        sources->fds[sources->count++] = (struct pollfd){call->message->fds[0], POLLRDHUP, 0};
    }
}

static void cancel(struct pool *pool, uint32_t number)
{
    for (struct tool_call *call = pool->first; call != NULL; call = call->next)
        if (call->number == number) {
            pool_cancel(pool, call);
            return;
        }
}

static void __attribute__((noreturn)) loop(struct starter *starter)
{
    struct sources sources;

    for (;;) {
        int limit_ms = pool_tick(&starter->pool);

        collect(starter, &sources);
        if (poll(sources.fds, sources.count, limit_ms) < 0)
            continue;
        if (sources.fds[2].revents != 0)
            children_end_all();
        for (nfds_t i = FIXED; i < sources.count; i++) {
            if (sources.fds[i].revents == 0)
                continue;
            if (sources.processes[i] != NULL)
                pool_hear(&starter->pool, sources.processes[i]);
            else
                cancel(&starter->pool, sources.calls[i]);
        }
        if (sources.fds[1].revents != 0)
            take_ends(&starter->pool);
        if (sources.fds[0].revents != 0)
            take_bell(starter);
        pool_assign(&starter->pool, start_process, starter);
    }
}

/* ---- beginning ------------------------------------------------------------------------------- */

static void place(int fd, int number)
{
    if (fd < 0)
        close(number);
    else if (dup2(fd, number) < 0)
        _exit(1);
    else
        fcntl(number, F_SETFD, FD_CLOEXEC);
}

/* Above the numbers to be taken first, so that none is overwritten. */
static void place_descriptors(int bell, int records, int kernel)
{
    int high[3] = {fcntl(bell, F_DUPFD, FREE_FD),
                   records >= 0 ? fcntl(records, F_DUPFD, FREE_FD) : -1,
                   kernel >= 0 ? fcntl(kernel, F_DUPFD, FREE_FD) : -1};

    for (int i = 0; i < 3; i++)
        place(high[i], BELL_FD + i);
    syscall(SYS_close_range, SIGNALS_FD, INT_MAX, 0);
    for (int fd = 0; fd < 3; fd++) {
        close(fd);
        if (open("/dev/null", O_RDWR) < 0)
            _exit(1);
    }
}

static void reset_signals(void)
{
    sigset_t children;

    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, SIG_DFL);
    signal(SIGPIPE, SIG_IGN); /* as Python has it */
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_SETMASK, &children, NULL);
    place(signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK), SIGNALS_FD);
}

/* A session of its own: what ends the guard's process group must not end it, since a copy may go
 * on. */
static void __attribute__((noreturn))
be_starter(const struct starter_settings *settings, int bell, int kernel)
{
    static struct starter starter;

    prctl(PR_SET_PDEATHSIG, 0);
    prctl(PR_SET_NAME, "safepyrun-tool");
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    place_descriptors(bell, settings->records, kernel);
    reset_signals();
    starter.settings = *settings;
    starter.has_kernel = kernel >= 0;
    pool_init(&starter.pool, settings->records >= 0 ? RECORDS_FD : -1,
              settings->policy->limits.tool_cpu_seconds);
    loop(&starter);
}

pid_t starter_fork(const struct starter_settings *settings, int *ret_bell)
{
    cleanup_close int records = settings->records;
    cleanup_close int kernel = getppid() > 1 ? (int)syscall(SYS_pidfd_open, getppid(), 0) : -1;
    int end;
    pid_t pid;

    PyOS_BeforeFork();
    pid = socket_fork(&end);
    if (pid == 0)
        be_starter(settings, end, kernel);
    PyOS_AfterFork_Parent();
    if (pid > 0)
        *ret_bell = end;
    return pid;
}
