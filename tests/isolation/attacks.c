/*
 * Native attacks on the OS ring, loaded into a guard by ctypes with the interpreter ring switched off.
 *
 * Each is a function attack_<name>(const struct target *) that returns 0 when it got what it wanted, else an
 * errno. Whether anything happened is looked at from outside, by test_isolation.py; the return value alone
 * counts only where nothing can be seen from there. Calls that a C library may not have are made by number.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

struct target {
    const char *outside;  /* a folder with the file "victim" (attribute user.mark) and the folder "empty" */
    const char *inside;   /* the write root, with the file "own" */
    const char *tty;      /* a terminal of somebody else */
    const char *socket;   /* path where somebody listens; datagrams at path + ".d" */
    const char *abstract; /* name of an abstract socket where somebody listens */
    const char *secret;   /* a file below deny_read */
    int pid;              /* a process of the same user */
    int port;             /* where somebody listens, TCP and UDP, on 127.0.0.1 */
    int shm;              /* id of that process's System V segment */
    uint64_t address;     /* of "as it was" in its memory */
    const char *posix_shm; /* name of its POSIX segment */
};

#define ATTACK(name) int attack_##name(const struct target *t); int attack_##name(const struct target *t)


static char place[4096];

static const char *out(const struct target *t, const char *name)
{
    snprintf(place, sizeof(place), "%s/%s", t->outside, name);
    return place;
}

static const char *in(const struct target *t, const char *name)
{
    static char own[4096];

    snprintf(own, sizeof(own), "%s/%s", t->inside, name);
    return own;
}

static int result(long value)
{
    return value < 0 ? errno : 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int write_fd(int fd)
{
    if (fd < 0)
        return errno;
    return result(pwrite(fd, "changed", 7, 0));
}

ATTACK(create) { return write_fd(open(out(t, "new"), O_CREAT | O_WRONLY, 0600)); }
ATTACK(write) { return write_fd(open(out(t, "victim"), O_WRONLY)); }
ATTACK(write_append) { return write_fd(open(out(t, "victim"), O_WRONLY | O_APPEND)); }
ATTACK(creat) { return result(creat(out(t, "victim"), 0600)); }
ATTACK(truncate) { return result(truncate(out(t, "victim"), 0)); }
ATTACK(truncate_by_open) { return result(open(out(t, "victim"), O_RDONLY | O_TRUNC)); }
ATTACK(openat2)
{
    struct { uint64_t flags, mode, resolve; } how = {O_WRONLY | O_CREAT, 0600, 0};

    return write_fd((int)syscall(437, AT_FDCWD, out(t, "new"), &how, sizeof(how)));
}
ATTACK(unlink) { return result(unlink(out(t, "victim"))); }
ATTACK(rmdir) { return result(rmdir(out(t, "empty"))); }
ATTACK(mkdir) { return result(mkdir(out(t, "new"), 0700)); }
ATTACK(symlink) { return result(symlink("victim", out(t, "new"))); }
ATTACK(mkfifo) { return result(mkfifo(out(t, "new"), 0600)); }
ATTACK(bind_socket)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", out(t, "new"));
    return result(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}
ATTACK(rename_into) { return result(rename(in(t, "own"), out(t, "new"))); }
ATTACK(rename_away) { return result(rename(out(t, "victim"), in(t, "stolen"))); }
ATTACK(rename_exchange)
{
    return result(syscall(SYS_renameat2, AT_FDCWD, in(t, "own"), AT_FDCWD, out(t, "victim"), 2));
}
ATTACK(link_into) { return result(link(in(t, "own"), out(t, "new"))); }
ATTACK(link_away)
{
    if (link(out(t, "victim"), in(t, "linked")) < 0)
        return errno;
    return write_fd(open(in(t, "linked"), O_WRONLY));
}
ATTACK(write_through_link)
{
    unlink(in(t, "link"));
    if (symlink(out(t, "victim"), in(t, "link")) < 0)
        return errno;
    return write_fd(open(in(t, "link"), O_WRONLY));
}
ATTACK(write_through_proc)
{
    char path[64];
    int fd = open(out(t, "victim"), O_RDONLY);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return write_fd(open(path, O_RDWR));
}
ATTACK(write_through_own_root)
{
    char path[5000];

    snprintf(path, sizeof(path), "/proc/self/root%s", out(t, "victim"));
    return write_fd(open(path, O_RDWR));
}
ATTACK(map_shared)
{
    int fd = open(out(t, "victim"), O_RDWR);
    char *memory = fd < 0 ? MAP_FAILED : mmap(NULL, 4, PROT_WRITE, MAP_SHARED, fd, 0);

    if (memory == MAP_FAILED)
        return errno;
    memory[0] = '!';
    return result(msync(memory, 4, MS_SYNC));
}
ATTACK(temporary_then_link)
{
    char path[64];
    int fd = open(t->inside, O_TMPFILE | O_WRONLY, 0600);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return result(linkat(AT_FDCWD, path, AT_FDCWD, out(t, "new"), AT_SYMLINK_FOLLOW));
}
ATTACK(through_parent_of_root)
{
    int fd = open(t->inside, O_PATH | O_DIRECTORY);
    char name[256];

    snprintf(name, sizeof(name), "../%s/new", strrchr(t->outside, '/') + 1);
    return write_fd(openat(fd, name, O_CREAT | O_WRONLY, 0600));
}
static void *create_in_thread(void *argument)
{
    return (void *)(intptr_t)attack_create(argument);
}
ATTACK(create_in_thread)
{
    pthread_t thread;
    void *answer;

    pthread_create(&thread, NULL, create_in_thread, (void *)t);
    pthread_join(thread, &answer);
    return (int)(intptr_t)answer;
}
static int in_child(int (*attack)(const struct target *), const struct target *t)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(attack(t));
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}
ATTACK(create_in_child) { return in_child(attack_create, t); }

/* ---- modes, owners, times, attributes -------------------------------------------------------- */

static int read_only(const struct target *t)
{
    return open(out(t, "victim"), O_RDONLY);
}

ATTACK(chmod) { return result(chmod(out(t, "victim"), 0777)); }
ATTACK(fchmod) { return result(fchmod(read_only(t), 0777)); }
ATTACK(fchmodat2) { return result(syscall(452, AT_FDCWD, out(t, "victim"), 0777, 0)); }
ATTACK(chmod_through_proc)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", read_only(t));
    return result(chmod(path, 0777));
}
ATTACK(chown) { return result(chown(out(t, "victim"), 12345, 12345)); }
ATTACK(fchown) { return result(fchown(read_only(t), 12345, 12345)); }
ATTACK(lchown) { return result(lchown(out(t, "victim"), 12345, 12345)); }
ATTACK(utime) { return result(utime(out(t, "victim"), &(struct utimbuf){1, 1})); }
ATTACK(utimes) { return result(utimes(out(t, "victim"), (struct timeval[2]){{1, 1}, {1, 1}})); }
ATTACK(futimens) { return result(futimens(read_only(t), (struct timespec[2]){{1, 1}, {1, 1}})); }
ATTACK(setxattr) { return result(setxattr(out(t, "victim"), "user.new", "x", 1, 0)); }
ATTACK(fsetxattr) { return result(fsetxattr(read_only(t), "user.new", "x", 1, 0)); }
ATTACK(setxattrat)
{
    struct { uint64_t value; uint32_t size, flags; } arguments = {(uintptr_t) "x", 1, 0};

    return result(syscall(463, AT_FDCWD, out(t, "victim"), 0, "user.new", &arguments, sizeof(arguments)));
}
ATTACK(removexattr) { return result(removexattr(out(t, "victim"), "user.mark")); }
ATTACK(chattr)
{
    int fd = read_only(t);
    int flags;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return errno;
    flags |= FS_NODUMP_FL;
    return result(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

/* ---- ways out of the view -------------------------------------------------------------------- */

static int unshare_user(const struct target *t)
{
    (void)t;
    return result(unshare(CLONE_NEWUSER | CLONE_NEWNS));
}
ATTACK(user_namespace) { return in_child(unshare_user, t); }
static int clone_user(const struct target *t)
{
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

    (void)t;
    if (child == 0)
        _exit(0);
    return result(child);
}
ATTACK(clone_namespace) { return in_child(clone_user, t); }
static int clone3_user(const struct target *t)
{
    uint64_t arguments[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0};
    long child = syscall(SYS_clone3, arguments, sizeof(arguments));

    (void)t;
    if (child == 0)
        _exit(0);
    return result(child);
}
ATTACK(clone3_namespace) { return in_child(clone3_user, t); }
static int remount(const struct target *t)
{
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) < 0)
        return errno;
    return attack_create(t);
}
ATTACK(remount) { return in_child(remount, t); }
static int mount_set_writable(const struct target *t)
{
    uint64_t attributes[4] = {0, 1 /* read-only */, 0, 0};

    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0x8000, attributes, sizeof(attributes)) < 0)
        return errno;
    return attack_create(t);
}
ATTACK(mount_setattr) { return in_child(mount_set_writable, t); }
static int leave_root(const struct target *t)
{
    if (mkdir(in(t, "jail"), 0700) < 0 && errno != EEXIST)
        return errno;
    if (chroot(in(t, "jail")) < 0)
        return errno;
    for (int i = 0; i < 100; i++)
        if (chdir("..") < 0)
            return errno;
    return result(chroot("."));
}
ATTACK(chroot) { return in_child(leave_root, t); }
static int join_namespace(const struct target *t)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", t->pid);
    return result(setns(open(path, O_RDONLY), CLONE_NEWNS));
}
ATTACK(setns) { return in_child(join_namespace, t); }
ATTACK(root_of_other)
{
    char path[5000];

    snprintf(path, sizeof(path), "/proc/%d/root%s", t->pid, out(t, "victim"));
    return write_fd(open(path, O_WRONLY));
}
ATTACK(cwd_of_other)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/cwd/new", t->pid);
    return write_fd(open(path, O_WRONLY | O_CREAT, 0600));
}
ATTACK(file_handle)
{
    struct { struct file_handle handle; char bytes[128]; } handle = {.handle.handle_bytes = 128};
    int mount;

    if (name_to_handle_at(AT_FDCWD, out(t, "victim"), &handle.handle, &mount, 0) < 0)
        return errno;
    return write_fd(open_by_handle_at(open(t->inside, O_RDONLY), &handle.handle, O_WRONLY));
}

/* ---- programs -------------------------------------------------------------------------------- */

static int run(const struct target *t)
{
    char *arguments[] = {"/bin/touch", (char *)in(t, "ran"), NULL};

    execve(arguments[0], arguments, NULL);
    return errno;
}
ATTACK(execve) { return in_child(run, t); }
static int run_by_loader(const struct target *t)
{
    char *arguments[] = {"/lib64/ld-linux-x86-64.so.2", "/bin/touch", (char *)in(t, "ran"), NULL};

    execve(arguments[0], arguments, NULL);
    return errno;
}
ATTACK(exec_by_loader) { return in_child(run_by_loader, t); }
static int run_memory(const struct target *t)
{
    char *arguments[] = {"touch", (char *)in(t, "ran"), NULL};
    char bytes[65536];
    int file = open("/bin/touch", O_RDONLY);
    int memory = memfd_create("x", 0);
    ssize_t count;

    while ((count = read(file, bytes, sizeof(bytes))) > 0)
        if (write(memory, bytes, (size_t)count) < 0)
            return errno;
    syscall(SYS_execveat, memory, "", arguments, NULL, AT_EMPTY_PATH);
    return errno;
}
ATTACK(execveat) { return in_child(run_memory, t); }
ATTACK(posix_spawn)
{
    char *arguments[] = {"/bin/touch", (char *)in(t, "ran"), NULL};
    pid_t child;
    int error = posix_spawn(&child, arguments[0], NULL, NULL, arguments, NULL);

    if (error == 0)
        waitpid(child, NULL, 0);
    return error;
}
ATTACK(system)
{
    char command[4200];

    snprintf(command, sizeof(command), "touch %s", in(t, "ran"));
    return system(command) == 0 ? 0 : EPERM;
}

/* ---- network and sockets --------------------------------------------------------------------- */

static struct sockaddr_in local(const struct target *t)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connect_by(int fd, const struct target *t)
{
    struct sockaddr_in address = local(t);

    if (fd < 0)
        return errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno;
    return result(send(fd, "hello", 5, MSG_NOSIGNAL));
}

ATTACK(tcp) { return connect_by(socket(AF_INET, SOCK_STREAM, 0), t); }
ATTACK(mptcp) { return connect_by(socket(AF_INET, SOCK_STREAM, 262), t); }
ATTACK(udp) { return connect_by(socket(AF_INET, SOCK_DGRAM, 0), t); }
ATTACK(udp_sendto)
{
    struct sockaddr_in address = local(t);

    return result(sendto(socket(AF_INET, SOCK_DGRAM, 0), "hello", 5, 0, (struct sockaddr *)&address, sizeof(address)));
}
ATTACK(tcp_fast_open)
{
    struct sockaddr_in address = local(t);

    return result(sendto(socket(AF_INET, SOCK_STREAM, 0), "hello", 5, MSG_FASTOPEN | MSG_NOSIGNAL,
                         (struct sockaddr *)&address, sizeof(address)));
}
ATTACK(tcp_listen)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno;
    return result(listen(fd, 1));
}
ATTACK(netlink) { return result(socket(AF_NETLINK, SOCK_RAW, 0)); }
ATTACK(packet) { return result(socket(AF_PACKET, SOCK_RAW, 0)); }
ATTACK(raw) { return result(socket(AF_INET, SOCK_RAW, 1)); }
static struct sockaddr_un unix_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
    return address;
}
ATTACK(unix_connect)
{
    struct sockaddr_un address = unix_path(t->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return errno;
    return result(send(fd, "hello", 5, MSG_NOSIGNAL));
}
ATTACK(unix_abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(t->abstract);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path + 1, t->abstract, size);
    if (connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size)) < 0)
        return errno;
    return result(send(fd, "hello", 5, MSG_NOSIGNAL));
}
ATTACK(unix_datagram_of_a_pair)
{
    char path[4200];
    struct sockaddr_un address;
    int pair[2];

    snprintf(path, sizeof(path), "%s.d", t->socket);
    address = unix_path(path);
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
        return errno;
    return result(sendto(pair[0], "hello", 5, 0, (struct sockaddr *)&address, sizeof(address)));
}
ATTACK(unix_sendmsg_of_a_stream)
{
    char path[4200];
    struct sockaddr_un address;
    struct iovec bytes = {"hello", 5};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = &bytes, .msg_iovlen = 1};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    snprintf(path, sizeof(path), "%s.d", t->socket);
    address = unix_path(path);
    return result(sendmsg(fd, &message, 0));
}

/* ---- other processes ------------------------------------------------------------------------- */

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

/* ---- devices and the rest of the system ------------------------------------------------------- */

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
