#include "kernel/supervisor/errand_process.h"

#include "guard/link/cleanup.h"
#include "kernel/supervisor/process_tree.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    GRACE_MS = 2000, /* below the usual grace_seconds: the cell gets its answer before it is killed */
    OUTPUT_BYTES = 64 * 1024,
    REAP_MS = 50,
    LAST_READS = 64, /* of what is left in a pipe; a process that left the group may go on writing */
};

/* ---- the end ---------------------------------------------------------------------------------- */

static void close_output(struct errand_process *process, int index)
{
    if (process->outputs[index] < 0)
        return;
    loop_remove(process->loop, &process->output_sources[index]);
    close(steal_fd(&process->outputs[index]));
}

/* They have been killed, and take a moment to end. */
static int on_reap_timer(void *context)
{
    struct errand_process *process = context;
    pid_t ended = 1;

    while (ended > 0)
        ended = waitpid(-process->group, NULL, WNOHANG);
    if (ended == 0)
        loop_timer_start(&process->reap_timer, REAP_MS);
    return 0;
}

/* The group goes while its leader is not yet waited for: so long the number is nobody else's. */
static int bury(struct errand_process *process)
{
    int status = 0;

    kill(-process->pid, SIGKILL);
    waitpid(process->pid, &status, 0);
    process_tree_set_apart(0);
    process->group = process->pid;
    process->pid = 0;
    on_reap_timer(process);
    loop_remove(process->loop, &process->pid_source);
    loop_timer_stop(&process->kill_timer);
    close(steal_fd(&process->pidfd));
    return status;
}

void errand_process_drop(struct errand_process *process)
{
    if (process->pid == 0)
        return;
    bury(process);
    close_output(process, 0);
    close_output(process, 1);
}

static int on_kill_timer(void *context)
{
    const struct errand_process *process = context;

    kill(-process->pid, SIGKILL);
    return 0;
}

void errand_process_init(struct errand_process *process, struct loop *loop,
                         const struct errand_handlers *handlers)
{
    *process = (struct errand_process){
        .loop = loop, .handlers = *handlers, .pidfd = -1, .outputs = {-1, -1}};
    process->kill_timer = (struct loop_timer){.callback = on_kill_timer, .context = process};
    process->reap_timer = (struct loop_timer){.callback = on_reap_timer, .context = process};
    loop_add_timer(loop, &process->kill_timer);
    loop_add_timer(loop, &process->reap_timer);
}

void errand_process_end(struct errand_process *process)
{
    if (process->pid == 0)
        return;
    kill(-process->pid, process->is_ending ? SIGKILL : SIGINT);
    if (!process->is_ending)
        loop_timer_start(&process->kill_timer, GRACE_MS);
    process->is_ending = true;
}

/* ---- output ----------------------------------------------------------------------------------- */

/* One read. Returns 1 when there may be more; 0 when there is none now; -errno. */
static int read_output(struct errand_process *process, int index)
{
    static char bytes[OUTPUT_BYTES];
    ssize_t count;
    int result;

    if (process->outputs[index] < 0)
        return 0;
    count = read(process->outputs[index], bytes, sizeof(bytes));
    if (count == 0)
        close_output(process, index);
    if (count <= 0)
        return 0;
    result = process->handlers.output(process->handlers.context, index,
                                      (struct bytes){bytes, (size_t)count});
    return result < 0 ? result : 1;
}

static int on_stdout(void *context)
{
    int result = read_output(context, 0);

    return result < 0 ? result : 0;
}

static int on_stderr(void *context)
{
    int result = read_output(context, 1);

    return result < 0 ? result : 0;
}

static int on_end(void *context)
{
    struct errand_process *process = context;
    int status = bury(process);
    int result = 0;

    for (int index = 0; index < 2 && result >= 0; index++) {
        int reads = 0;

        do
            result = read_output(process, index);
        while (result > 0 && ++reads < LAST_READS);
        close_output(process, index);
    }
    return result < 0 ? result : process->handlers.ended(process->handlers.context, status);
}

void errand_process_set_paused(struct errand_process *process, bool paused)
{
    process->output_sources[0].paused = paused;
    process->output_sources[1].paused = paused;
}

/* ---- the start -------------------------------------------------------------------------------- */

/* ends: [0] and [1] of stdout, then of stderr; -1 where there are none. */
static int make_pipes(bool joined, int ends[4])
{
    for (int i = 0; i < (joined ? 2 : 4); i += 2) {
        if (pipe2(ends + i, O_CLOEXEC) < 0)
            return -errno;
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

static int run(const struct errand_settings *settings, int out, int err, pid_t *ret_pid)
{
    char *const arguments[] = {(char *)"/bin/sh", (char *)"-c", (char *)settings->text, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    int result;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addfchdir_np(&actions, settings->folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    /* A session of its own: no terminal is anybody's to read an answer from, and the group is ours to end. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    result = posix_spawn(ret_pid, arguments[0], &actions, &attributes, arguments, settings->environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -result;
}

static void listen_to(struct errand_process *process, int index, int fd)
{
    process->outputs[index] = fd;
    if (fd < 0)
        return;
    process->output_sources[index] = (struct loop_source){.fd = fd,
                                                          .events = POLLIN,
                                                          .callback = index == 0 ? on_stdout : on_stderr,
                                                          .context = process};
    loop_add(process->loop, &process->output_sources[index]);
}

static void watch(struct errand_process *process, pid_t pid, const int ends[4])
{
    process->pid = pid;
    process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    process->is_ending = false;
    process_tree_set_apart(pid);
    /* Before its end, so that what it wrote is there already when that is told. */
    listen_to(process, 0, ends[0]);
    listen_to(process, 1, ends[2]);
    process->pid_source = (struct loop_source){
        .fd = process->pidfd, .events = POLLIN, .callback = on_end, .context = process};
    loop_add(process->loop, &process->pid_source);
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

int errand_process_start(struct errand_process *process, const struct errand_settings *settings)
{
    int ends[4] = {-1, -1, -1, -1};
    int result = make_pipes(settings->joined, ends);
    pid_t pid;

    if (result == 0)
        result = run(settings, ends[1], settings->joined ? ends[1] : ends[3], &pid);
    if (result != 0) {
        close_all(ends, 4);
        return result;
    }
    close_all((int[]){ends[1], ends[3]}, 2);
    watch(process, pid, ends);
    return 0;
}
