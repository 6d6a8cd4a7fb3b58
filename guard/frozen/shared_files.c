#include "guard/frozen/shared_files.h"

#include "guard/link/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Those of open() that say how a file is used, not how it is made. */
#define USE_FLAGS (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC | O_DIRECT | O_NOATIME)

static bool contains(const int *fds, size_t count, int fd)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] == fd)
            return true;
    return false;
}

/* Puts `other` in the place of `fd`. */
static void replace(int fd, int other)
{
    int flags = fcntl(fd, F_GETFD);

    if (other >= 0 && flags >= 0)
        dup3(other, fd, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
}

/* Reading finds the end, writing EPIPE. */
static int make_dead_end(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    close(ends[1]);
    return ends[0];
}

/* By way of /proc also when it has no name any more. A file that may not be opened again stays shared. */
static void reopen(int fd)
{
    char path[64];
    off_t offset = lseek(fd, 0, SEEK_CUR);
    int flags = fcntl(fd, F_GETFL);
    cleanup_close int again = -1;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = flags >= 0 ? open(path, (flags & USE_FLAGS) | O_CLOEXEC) : -1;
    if (again < 0 || (offset > 0 && lseek(again, offset, SEEK_SET) < 0))
        return;
    replace(fd, again);
}

static bool is_epoll(int fd)
{
    char path[64];
    char target[64];
    ssize_t size;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    size = readlink(path, target, sizeof(target) - 1);
    target[size > 0 ? size : 0] = '\0';
    return strcmp(target, "anon_inode:[eventpoll]") == 0;
}

static void detach(int fd, int dead_end)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return;
    if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) {
        replace(fd, dead_end);
    } else if (S_ISREG(status.st_mode)) {
        reopen(fd);
    } else if (is_epoll(fd)) {
        cleanup_close int empty = epoll_create1(EPOLL_CLOEXEC);

        replace(fd, empty);
    }
}

void shared_files_detach(const int *kept, size_t count)
{
    DIR *list = opendir("/proc/self/fd");
    cleanup_close int dead_end = make_dead_end();
    struct dirent *entry;

    while (list != NULL && (entry = readdir(list)) != NULL) {
        int fd = atoi(entry->d_name);

        if (fd > STDERR_FILENO && fd != dirfd(list) && fd != dead_end && !contains(kept, count, fd))
            detach(fd, dead_end);
    }
    if (list != NULL)
        closedir(list);
}

bool shared_files_have_append(void)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;
    bool found = false;

    while (list != NULL && !found && (entry = readdir(list)) != NULL) {
        int fd = atoi(entry->d_name);
        int flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFL) : -1;
        struct stat status;

        found = flags >= 0 && (flags & O_APPEND) != 0 && fstat(fd, &status) == 0 &&
                S_ISREG(status.st_mode);
    }
    if (list != NULL)
        closedir(list);
    return found;
}
