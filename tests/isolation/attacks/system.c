/* Attacks on devices and on the rest of the system. */
#include "attacks.h"

#include <linux/io_uring.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

ATTACK(tty_write) { return result(write(open(t->tty, O_WRONLY | O_NOCTTY), "changed", 7)); }
ATTACK(tty_type)
{
    return result(ioctl(open(t->tty, O_RDONLY | O_NOCTTY), TIOCSTI, "x"));
}
ATTACK(new_terminal)
{
    int ends[2];

    return result(openpty(&ends[0], &ends[1], NULL, NULL, NULL));
}
ATTACK(io_uring)
{
    struct io_uring_params parameters = {0};

    return result(syscall(SYS_io_uring_setup, 4, &parameters));
}
ATTACK(bpf) { return result(syscall(SYS_bpf, 0, (uint32_t[16]){2 /* array */, 4, 4, 1}, 16 * sizeof(uint32_t))); }
ATTACK(perf) { return result(syscall(SYS_perf_event_open, (uint64_t[16]){(uint64_t)128 << 32 | 1 /* software */, 0, 0, 0, 0, 1 << 5 /* not the kernel */}, 0, -1, -1, 0)); }
ATTACK(userfaultfd) { return result(syscall(SYS_userfaultfd, 1)); }
ATTACK(keyring) { return result(syscall(SYS_add_key, "user", "isolation", "x", 1, -4)); }
ATTACK(read_secret)
{
    char bytes[6] = "";

    if (read(open(t->secret, O_RDONLY), bytes, 5) < 0)
        return errno;
    return strcmp(bytes, "hush!") == 0 ? 0 : EIO;
}
ATTACK(read_secret_by_proc)
{
    char path[5000];
    char bytes[6] = "";

    snprintf(path, sizeof(path), "/proc/%d/root%s", t->pid, t->secret);
    if (read(open(path, O_RDONLY), bytes, 5) < 0)
        return errno;
    return strcmp(bytes, "hush!") == 0 ? 0 : EIO;
}
/* In a child: a guard without the ring would lose the others for good. */
static int be_administrator(const struct target *t)
{
    (void)t;
    struct { uint32_t version; int pid; } header = {0x20080522, 0};
    uint32_t administrator[6] = {1U << 21, 1U << 21, 0};

    return result(syscall(SYS_capset, &header, administrator));
}
ATTACK(regain_capabilities) { return in_child(be_administrator, t); }
ATTACK(core_file)
{
    return result(setrlimit(RLIMIT_CORE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
}
ATTACK(outlive_the_kernel) { return result(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)); }

/* The 32-bit numbering of the same processor: another table, which the filter does not judge. */
#ifdef __x86_64__
ATTACK(other_numbering)
{
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | 0x40 /* 32 bit */, -1, 0);
    int answer;

    strcpy(low, out(t, "new"));
    __asm__ volatile("int $0x80" : "=a"(answer) : "a"(39 /* mkdir */), "b"(low), "c"(0700) : "memory");
    return answer < 0 ? -answer : 0;
}
#endif
