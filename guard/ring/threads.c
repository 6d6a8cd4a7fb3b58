#include "guard/ring/threads.h"
#include "guard/ring/capabilities.h"

#include "guard/link/buffer.h"

#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

enum {
    SETXID_SIGNAL = 33, /* the C library's own: pthread_sigmask() does not block it */
    ANSWER_MS = 1000,
    ROUNDS = 20,        /* a thread may start another one while it is not yet restricted */
};

static struct {
    struct thread_restrictions wanted;
    atomic_int answers;
    atomic_int error; /* the first one */
} work;

/* As the system call takes it, without the C library between. */
struct system_action {
    void *handler;
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* Only system calls: it also runs inside a signal handler, in any thread. */
static int restrict_thread(const struct thread_restrictions *wanted)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    if (wanted->ruleset >= 0 &&
        syscall(SYS_landlock_restrict_self, wanted->ruleset, wanted->landlock_flags) < 0)
        return -errno;
    return capabilities_drop(wanted->capability_last);
}

static void on_signal(int number)
{
    int saved = errno;
    int result = restrict_thread(&work.wanted);
    int none = 0;

    (void)number;
    if (result < 0)
        atomic_compare_exchange_strong(&work.error, &none, result);
    atomic_fetch_add(&work.answers, 1);
    errno = saved;
}

static long set_action(int number, const struct system_action *action, struct system_action *before)
{
    return syscall(SYS_rt_sigaction, number, action, before, sizeof(uint64_t));
}

/* The C library refuses to set this signal's handler, so it is asked for another one, whose form is
   then taken as it is: with the way back from a handler that this processor needs. */
static int install(struct system_action *ret_before)
{
    struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    struct sigaction before;
    struct system_action made;

    sigfillset(&ours.sa_mask);
    if (sigaction(SIGRTMAX, &ours, &before) < 0 || set_action(SIGRTMAX, NULL, &made) < 0)
        return -errno;
    sigaction(SIGRTMAX, &before, NULL);
    return set_action(SETXID_SIGNAL, &made, ret_before) < 0 ? -errno : 0;
}

static bool has_pid(const struct buffer *pids, pid_t pid)
{
    for (size_t at = 0; at < pids->size; at += sizeof(pid)) {
        pid_t other;

        memcpy(&other, pids->data + at, sizeof(other));
        if (other == pid)
            return true;
    }
    return false;
}

/* Signals those that were not yet; returns how many, or -errno. */
static int signal_new_threads(struct buffer *done)
{
    DIR *directory = opendir("/proc/self/task");
    const struct dirent *entry;
    int count = 0;

    if (directory == NULL)
        return -errno;
    while ((entry = readdir(directory)) != NULL) {
        pid_t thread = (pid_t)atoi(entry->d_name);

        if (thread <= 0 || has_pid(done, thread))
            continue;
        buffer_append(done, (struct bytes){&thread, sizeof(thread)});
        if (syscall(SYS_tgkill, getpid(), thread, SETXID_SIGNAL) == 0)
            count++;
    }
    closedir(directory);
    return count;
}

static int wait_for(int answers)
{
    static const struct timespec pause = {.tv_nsec = 50 * 1000L};

    for (int waited_us = 0; waited_us < ANSWER_MS * 1000; waited_us += 50) {
        if (atomic_load(&work.answers) >= answers)
            return 0;
        nanosleep(&pause, NULL);
    }
    return -ETIME;
}

static int restrict_others(void)
{
    cleanup_buffer struct buffer done = BUFFER_NONE;
    pid_t own = (pid_t)syscall(SYS_gettid);
    int asked = 0;

    buffer_append(&done, (struct bytes){&own, sizeof(own)});
    for (int i = 0; i < ROUNDS; i++) {
        int count = signal_new_threads(&done);

        if (count <= 0)
            return count;
        asked += count;
        if (wait_for(asked) < 0)
            return -ETIME;
    }
    return -EAGAIN;
}

int threads_restrict(const struct thread_restrictions *restrictions)
{
    struct system_action before;
    int result;

    work.wanted = *restrictions;
    atomic_store(&work.answers, 0);
    atomic_store(&work.error, 0);
    result = install(&before);
    if (result == 0) {
        result = restrict_others();
        set_action(SETXID_SIGNAL, &before, NULL);
    }
    if (result == 0)
        result = atomic_load(&work.error);
    /* Itself in any case: most of the ring is better than none of it, and the caller says so. */
    return restrict_thread(restrictions) < 0 && result == 0 ? -EPERM : result;
}
