#include "guard/ring/metadata.h"
#include "guard/ring/paths.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <utime.h>

enum { VALUE_MAX = 64 * 1024, NAME_SIZE = 256, NOTHING = -1 };

/* What is to be done, once the place is open: `fd` with O_PATH, `path` to it below /proc/self/fd. */
struct place {
    const struct seccomp_notif *asked;
    int fd;
    char path[32];
    bool is_link;
};

typedef int change_function(const struct place *place, const __u64 *arguments);

/* ---- the asker's memory ---------------------------------------------------------------------- */

static bool read_bytes(pid_t pid, uint64_t address, void *bytes, size_t size)
{
    struct iovec here = {bytes, size};
    struct iovec there = {(void *)(uintptr_t)address, size};

    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

/* Page by page, as a text may end right before one that is not there. False without an end. */
static bool read_text(pid_t pid, uint64_t address, char *text, size_t size)
{
    size_t used = 0;

    while (used < size) {
        size_t page = 4096 - (size_t)((address + used) % 4096);
        size_t count = page < size - used ? page : size - used;

        if (!read_bytes(pid, address + used, text + used, count))
            return false;
        if (memchr(text + used, '\0', count) != NULL)
            return true;
        used += count;
    }
    return false;
}

/* ---- changes --------------------------------------------------------------------------------- */

static int result_of(int value)
{
    return value < 0 ? -errno : 0;
}

static int change_mode(const struct place *place, const __u64 *arguments)
{
    if (place->is_link)
        return -EOPNOTSUPP;
    return result_of(chmod(place->path, (mode_t)arguments[0]));
}

static int change_owner(const struct place *place, const __u64 *arguments)
{
    return result_of(fchownat(place->fd, "", (uid_t)arguments[0], (gid_t)arguments[1],
                              AT_EMPTY_PATH));
}

static int set_times(const struct place *place, const struct timespec *times)
{
    if (place->is_link)
        return result_of(utimensat(place->fd, "", times, AT_EMPTY_PATH));
    return result_of(utimensat(AT_FDCWD, place->path, times, 0));
}

static int change_times_ns(const struct place *place, const __u64 *arguments)
{
    struct timespec times[2];

    if (arguments[0] == 0)
        return set_times(place, NULL);
    if (!read_bytes((pid_t)place->asked->pid, arguments[0], times, sizeof(times)))
        return -EFAULT;
    return set_times(place, times);
}

#ifdef SYS_utimes
static int change_times_us(const struct place *place, const __u64 *arguments)
{
    struct timeval read[2];

    if (arguments[0] == 0)
        return set_times(place, NULL);
    if (!read_bytes((pid_t)place->asked->pid, arguments[0], read, sizeof(read)))
        return -EFAULT;
    return set_times(place, (struct timespec[2]){{read[0].tv_sec, read[0].tv_usec * 1000},
                                                 {read[1].tv_sec, read[1].tv_usec * 1000}});
}

static int change_times_s(const struct place *place, const __u64 *arguments)
{
    struct utimbuf read;

    if (arguments[0] == 0)
        return set_times(place, NULL);
    if (!read_bytes((pid_t)place->asked->pid, arguments[0], &read, sizeof(read)))
        return -EFAULT;
    return set_times(place, (struct timespec[2]){{read.actime, 0}, {read.modtime, 0}});
}
#endif

static int set_attribute(const struct place *place, const __u64 *arguments)
{
    pid_t pid = (pid_t)place->asked->pid;
    size_t size = (size_t)arguments[2];
    char name[NAME_SIZE];
    cleanup_free char *value = NULL;

    if (place->is_link)
        return -EOPNOTSUPP;
    if (size > VALUE_MAX)
        return -E2BIG;
    value = xmalloc(size + 1);
    if (!read_text(pid, arguments[0], name, sizeof(name)) ||
        (size > 0 && !read_bytes(pid, arguments[1], value, size)))
        return -EFAULT;
    return result_of(setxattr(place->path, name, value, size, (int)arguments[3]));
}

static int remove_attribute(const struct place *place, const __u64 *arguments)
{
    char name[NAME_SIZE];

    if (place->is_link)
        return -EOPNOTSUPP;
    if (!read_text((pid_t)place->asked->pid, arguments[0], name, sizeof(name)))
        return -EFAULT;
    return result_of(removexattr(place->path, name));
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* Where a call keeps its folder, path and flags; NOTHING: it has none. A descriptor is a folder without path. */
static const struct call {
    int number;
    signed char folder;
    signed char path;
    signed char first; /* what the change gets */
    signed char flags;
    bool keeps_link;
    change_function *change;
} calls[] = {
    {SYS_fchmod, 0, NOTHING, 1, NOTHING, false, change_mode},
    {SYS_fchmodat, 0, 1, 2, NOTHING, false, change_mode},
    {SYS_fchown, 0, NOTHING, 1, NOTHING, false, change_owner},
    {SYS_fchownat, 0, 1, 2, 4, false, change_owner},
    {SYS_utimensat, 0, 1, 2, 3, false, change_times_ns},
    {SYS_setxattr, NOTHING, 0, 1, NOTHING, false, set_attribute},
    {SYS_lsetxattr, NOTHING, 0, 1, NOTHING, true, set_attribute},
    {SYS_fsetxattr, 0, NOTHING, 1, NOTHING, false, set_attribute},
    {SYS_removexattr, NOTHING, 0, 1, NOTHING, false, remove_attribute},
    {SYS_lremovexattr, NOTHING, 0, 1, NOTHING, true, remove_attribute},
    {SYS_fremovexattr, 0, NOTHING, 1, NOTHING, false, remove_attribute},
#ifdef SYS_chmod
    {SYS_chmod, NOTHING, 0, 1, NOTHING, false, change_mode},
    {SYS_chown, NOTHING, 0, 1, NOTHING, false, change_owner},
    {SYS_lchown, NOTHING, 0, 1, NOTHING, true, change_owner},
    {SYS_utime, NOTHING, 0, 1, NOTHING, false, change_times_s},
    {SYS_utimes, NOTHING, 0, 1, NOTHING, false, change_times_us},
    {SYS_futimesat, 0, 1, 2, NOTHING, false, change_times_us},
#endif
};

static const struct call *call_of(int number)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* Where the asker's folder is: its working directory or one of its descriptors. */
static int folder_of(pid_t pid, int fd, char folder[PATH_MAX])
{
    char link[64];
    ssize_t size;

    if (fd == AT_FDCWD)
        snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
    else
        snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
    size = readlink(link, folder, PATH_MAX - 1);
    if (size < 0)
        return errno == ENOENT ? -EBADF : -errno;
    folder[size] = '\0';
    return folder[0] == '/' ? 0 : -EPERM; /* a pipe or a socket has no name */
}

/* The absolute path that a call means, links resolved. */
static int resolve(const struct call *call, const struct seccomp_notif *asked,
                   char resolved[PATH_MAX], bool *ret_keeps_link)
{
    const __u64 *arguments = asked->data.args;
    pid_t pid = (pid_t)asked->pid;
    int flags = call->flags != NOTHING ? (int)arguments[call->flags] : 0;
    int folder = call->folder != NOTHING ? (int)arguments[call->folder] : AT_FDCWD;
    char text[PATH_MAX] = "";
    char start[PATH_MAX];
    cleanup_free char *whole = NULL;
    bool magic;
    int result;

    *ret_keeps_link = call->keeps_link || (flags & AT_SYMLINK_NOFOLLOW) != 0;
    if (call->path != NOTHING && arguments[call->path] != 0 &&
        !read_text(pid, arguments[call->path], text, sizeof(text)))
        return -EFAULT;
    if (call->path != NOTHING && text[0] == '\0' && arguments[call->path] != 0 &&
        (flags & AT_EMPTY_PATH) == 0)
        return -ENOENT;
    if (text[0] != '/') {
        result = folder_of(pid, folder, start);
        if (result < 0)
            return result;
    }
    whole = text[0] == '/'    ? xstrdup(text)
            : text[0] == '\0' ? xstrdup(start)
                              : xasprintf("%s/%s", start, text);
    result = path_resolve(bytes_of_string(whole), AT_FDCWD,
                          *ret_keeps_link ? PATH_KEEP_LAST : PATH_FOLLOW_LAST, resolved, &magic);
    return result < 0 ? result : magic ? -EPERM : 0;
}

static bool lies_in_other(const struct string_list *roots, size_t index)
{
    for (size_t i = 0; i < roots->count; i++)
        if (i != index && ring_path_is_below(roots->items[index], roots->items[i]))
            return true;
    return false;
}

/* Opens it below the outermost root that covers it, following nothing: the way to one inside of another is the
   cell's, who could make it a link in the meantime. -EPERM outside of all. */
static int open_below_root(const struct metadata_rules *rules, const char *resolved)
{
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

    for (size_t i = 0; i < rules->roots.count; i++) {
        const char *root = rules->roots.items[i];
        const char *tail = resolved + (strcmp(root, "/") == 0 ? 0 : strlen(root));
        cleanup_close int folder = -1;
        long fd;

        if (lies_in_other(&rules->roots, i) || !ring_path_is_below(resolved, root) || string_list_has_part_of(&rules->names, tail) ||
            ring_path_is_in(resolved, &rules->read_only))
            continue;
        tail += strspn(tail, "/");
        folder = open(root, O_PATH | O_CLOEXEC | O_NOFOLLOW);
        if (folder < 0 || tail[0] == '\0')
            return folder < 0 ? -EPERM : steal_fd(&folder);
        fd = syscall(SYS_openat2, folder, tail, &how, sizeof(how));
        return fd < 0 ? -errno : (int)fd;
    }
    return -EPERM;
}

int metadata_answer(const struct metadata_rules *rules, int listener,
                    const struct seccomp_notif *asked)
{
    const struct call *call = call_of(asked->data.nr);
    struct place place = {.asked = asked};
    char resolved[PATH_MAX];
    cleanup_close int fd = -1;
    struct stat about;
    uint64_t id = asked->id;
    int result;

    if (call == NULL)
        return -EPERM;
    result = resolve(call, asked, resolved, &place.is_link);
    if (result < 0)
        return result;
    fd = open_below_root(rules, resolved);
    if (fd < 0 || fstat(fd, &about) < 0)
        return fd < 0 ? fd : -EPERM;
    place.fd = fd;
    place.is_link = S_ISLNK(about.st_mode);
    snprintf(place.path, sizeof(place.path), "/proc/self/fd/%d", fd);
    /* Only now is it sure that what was read belongs to the asker, and not to a later process. */
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0)
        return -EPERM;
    return call->change(&place, asked->data.args + call->first);
}
