/* Ways out of the view of the file system, and other programs. */
#include "attacks.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

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
