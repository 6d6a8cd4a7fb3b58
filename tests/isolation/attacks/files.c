/* Attacks on files: content, names, modes, owners, attributes. */
#include "attacks.h"

#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <utime.h>

/* ---- files ----------------------------------------------------------------------------------- */

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
