#include "kernel/supervisor/process_tree.h"

#include "kernel/supervisor/proc.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum {
    PROCESSES_MAX = 4096, /* what is beyond is not looked at: some limit is exceeded long before */
    KILL_ROUNDS = 200,
};

static pid_t keeper_pid;
static pid_t apart_pid;

void process_tree_set_keeper(pid_t keeper)
{
    keeper_pid = keeper;
}

void process_tree_set_apart(pid_t pid)
{
    apart_pid = pid;
}

bool process_tree_is_child(pid_t pid, pid_t other)
{
    pid_t parent = proc_parent(pid);

    return parent != 0 && (parent == getpid() || parent == keeper_pid || parent == other);
}

static bool contains(struct process_set set, pid_t pid)
{
    for (size_t i = 0; i < set.count; i++)
        if (set.pids[i] == pid)
            return true;
    return false;
}

/* The children of `pid` that count are appended to `pids`. */
static void append_children(pid_t pid, struct process_set excluded, pid_t apart, struct buffer *pids)
{
    cleanup_buffer struct buffer children = BUFFER_NONE;
    const pid_t *found;

    proc_children(pid, &children);
    found = (const pid_t *)(const void *)children.data;
    for (size_t i = 0; i < children.size / sizeof(pid_t); i++)
        if (found[i] != apart && !contains(excluded, found[i]) && pids->size / sizeof(pid_t) < PROCESSES_MAX)
            buffer_append(pids, (struct bytes){&found[i], sizeof(pid_t)});
}

/* All of them, parents before children. */
static void list(struct process_set excluded, pid_t apart, struct buffer *pids)
{
    append_children(getpid(), excluded, apart, pids);
    if (keeper_pid != 0)
        append_children(keeper_pid, excluded, apart, pids);
    for (size_t at = 0; at < pids->size / sizeof(pid_t); at++) {
        pid_t pid = ((const pid_t *)(const void *)pids->data)[at];

        append_children(pid, excluded, apart, pids);
    }
}

/* Shared pages are counted once where the system tells, else with each process. */
static uint64_t memory_of(pid_t pid, bool is_first)
{
    uint64_t bytes = 0;

    if (is_first || !proc_pss(pid, &bytes))
        proc_rss(pid, &bytes);
    return bytes;
}

void process_tree_measure(struct process_set excluded, bool wants_memory,
                          struct process_tree *ret_tree)
{
    cleanup_buffer struct buffer pids = BUFFER_NONE;
    struct process_tree tree = {0};

    list(excluded, apart_pid, &pids);
    for (size_t i = 0; i < pids.size / sizeof(pid_t); i++) {
        pid_t pid = ((const pid_t *)(const void *)pids.data)[i];
        struct proc_times times;
        struct proc_written written;

        if (!proc_times(pid, &times))
            continue;
        tree.tasks += times.tasks;
        tree.cpu_ticks += times.cpu_ticks + times.children_ticks;
        if (proc_written(pid, &written)) {
            tree.written_bytes += written.bytes;
            tree.stored_bytes += written.stored;
        }
        if (wants_memory)
            tree.memory_bytes += memory_of(pid, i == 0);
    }
    *ret_tree = tree;
}

void process_tree_kill(struct process_set excluded)
{
    static const struct timespec pause = {.tv_nsec = 1000000};

    for (int round = 0; round < KILL_ROUNDS; round++) {
        cleanup_buffer struct buffer pids = BUFFER_NONE;
        const pid_t *found;

        list(excluded, 0, &pids);
        if (pids.size == 0)
            return;
        found = (const pid_t *)(const void *)pids.data;
        for (size_t i = 0; i < pids.size / sizeof(pid_t); i++) {
            kill(found[i], SIGKILL);
            waitpid(found[i], NULL, WNOHANG);
        }
        nanosleep(&pause, NULL);
    }
}
