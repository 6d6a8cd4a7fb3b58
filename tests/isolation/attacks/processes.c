/* Attacks on other processes, and what is shared with them. */
#include "attacks.h"

#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/uio.h>

ATTACK(kill) { return result(kill(t->pid, SIGUSR1)); }
ATTACK(tgkill) { return result(syscall(SYS_tgkill, t->pid, t->pid, SIGUSR1)); }
ATTACK(tkill) { return result(syscall(SYS_tkill, t->pid, SIGUSR1)); }
ATTACK(sigqueue) { return result(sigqueue(t->pid, SIGUSR1, (union sigval){0})); }
ATTACK(pidfd_send_signal)
{
    return result(syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, t->pid, 0), SIGUSR1, NULL, 0));
}
ATTACK(signal_by_descriptor)
{
    int ends[2];

    if (pipe(ends) < 0 || fcntl(ends[0], F_SETOWN, t->pid) < 0 || fcntl(ends[0], F_SETSIG, SIGUSR1) < 0 ||
        fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK) < 0)
        return errno;
    return result(write(ends[1], "x", 1));
}
ATTACK(prlimit) { return result(prlimit(t->pid, RLIMIT_CORE, &(struct rlimit){0, 0}, NULL)); }
ATTACK(setpriority) { return result(setpriority(PRIO_PROCESS, (id_t)t->pid, 7)); }
ATTACK(affinity)
{
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    return result(sched_setaffinity(t->pid, sizeof(first), &first));
}
ATTACK(scheduler) { return result(sched_setscheduler(t->pid, SCHED_BATCH, &(struct sched_param){0})); }
/* In a child, whose end lets the process go. */
static int seize(const struct target *t)
{
    return result(ptrace(PTRACE_SEIZE, t->pid, NULL, NULL));
}
ATTACK(ptrace) { return in_child(seize, t); }
static int is_its_memory(const char *bytes) { return memcmp(bytes, "as it was", 9) == 0 ? 0 : EIO; }
ATTACK(process_vm_readv)
{
    char bytes[9];
    struct iovec here = {bytes, sizeof(bytes)};
    struct iovec there = {(void *)t->address, sizeof(bytes)};

    return process_vm_readv(t->pid, &here, 1, &there, 1, 0) < 0 ? errno : is_its_memory(bytes);
}
ATTACK(process_vm_writev)
{
    struct iovec here = {"changed", 7};
    struct iovec there = {(void *)t->address, 7};

    return result(process_vm_writev(t->pid, &here, 1, &there, 1, 0));
}
static int open_proc(const struct target *t, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", t->pid, name);
    return open(path, flags);
}
ATTACK(proc_mem_read)
{
    char bytes[9];

    return pread(open_proc(t, "mem", O_RDONLY), bytes, 9, (off_t)t->address) < 0 ? errno : is_its_memory(bytes);
}
ATTACK(proc_mem_write)
{
    return result(pwrite(open_proc(t, "mem", O_WRONLY), "changed", 7, (off_t)t->address));
}
ATTACK(proc_environ)
{
    char bytes[65536];
    ssize_t size = read(open_proc(t, "environ", O_RDONLY), bytes, sizeof(bytes));

    if (size < 0)
        return errno;
    return memmem(bytes, (size_t)size, "VICTIM_KEY", 10) != NULL ? 0 : EIO;
}
ATTACK(proc_descriptor) { return result(open_proc(t, "fd/0", O_RDONLY)); }
ATTACK(proc_oom) { return result(write(open_proc(t, "oom_score_adj", O_WRONLY), "500", 3)); }
ATTACK(pidfd_getfd)
{
    return result(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, t->pid, 0), 0, 0));
}
ATTACK(kcmp) { return result(syscall(SYS_kcmp, t->pid, getpid(), 0, 0, 0)); }
ATTACK(sysv_segment)
{
    char *memory = shmat(t->shm, NULL, 0);

    if (memory == (void *)-1)
        return errno;
    memcpy(memory, "changed", 7);
    return 0;
}
ATTACK(posix_segment) { return write_fd(shm_open(t->posix_shm, O_RDWR, 0600)); }
ATTACK(message_queue) { return result(mq_open("/isolation-attack", O_CREAT | O_RDWR, 0600, NULL)); }
