#include "kernel/supervisor/errand_process.h"

#include "guard/link/cleanup.h"
#include "kernel/supervisor/process_tree.h"
#include "kernel/supervisor/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    GRACE_MS = 2000, /* below the usual grace_seconds: the cell gets its answer before it is killed */
    REAP_MS = 50,
};

/* ---- the end ---------------------------------------------------------------------------------- */

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
    output_pipes_close(&process->outputs);
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
        .loop = loop, .handlers = *handlers, .pidfd = -1};
    output_pipes_init(&process->outputs, loop, handlers->output, handlers->context);
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

static int on_end(void *context)
{
    struct errand_process *process = context;
    int status = bury(process);
    int result = output_pipes_drain(&process->outputs);

    output_pipes_close(&process->outputs);
    return result < 0 ? result : process->handlers.ended(process->handlers.context, status);
}

void errand_process_set_paused(struct errand_process *process, bool paused)
{
    output_pipes_set_paused(&process->outputs, paused);
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
    int result;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addfchdir_np(&actions, settings->folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    spawn_attributes_init(&attributes); /* the group is ours to end */
    result = posix_spawn(ret_pid, arguments[0], &actions, &attributes, arguments, settings->environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -result;
}

static void watch(struct errand_process *process, pid_t pid, const int ends[4])
{
    process->pid = pid;
    process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    process->is_ending = false;
    process_tree_set_apart(pid);
    /* Before its end, so that what it wrote is there already when that is told. */
    output_pipes_open(&process->outputs, (int[]){ends[0], ends[2]});
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
