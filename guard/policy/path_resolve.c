#include "guard/policy/path_resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_LIMIT 40 /* as the kernel of the system does */

/* What was resolved so far, and what is left to walk. */
struct walk {
    char done[PATH_MAX]; /* "" stands for "/" */
    size_t done_size;
    char rest[PATH_MAX];
    unsigned links;
    bool missing; /* from here on nothing exists: names are taken as written */
    bool magic;
    struct path_notes *notes; /* NULL: nobody asks for them */
};

/* "/proc/self" and "/proc/mounts" are ordinary links; those deeper down name open files and roots. */
static bool is_magic_link(const struct walk *walk)
{
    return strncmp(walk->done, "/proc/", 6) == 0;
}

/* What such a link leads to, is not what it says: a pipe, memory without a name, another view of the file system. */
static bool is_another_process(const struct walk *walk)
{
    char *end;
    long pid = strtol(walk->done + strlen("/proc/"), &end, 10);

    return end != walk->done + strlen("/proc/") && pid != (long)getpid();
}

bool path_shows_processes(const char *path)
{
    struct statfs system;

    return statfs(path, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

/* At the top ("self", "mounts") links are ordinary ones there, too. */
static bool is_in_second_proc(const struct walk *walk)
{
    const ino_t top = 1;
    struct stat about;

    return path_shows_processes(walk->done) && stat(walk->done, &about) == 0 && about.st_ino != top;
}

/* In front of what is left comes what a link says. */
static int put_in_front(struct walk *walk, const char *text, const char *rest)
{
    char joined[PATH_MAX];
    int size = snprintf(joined, sizeof(joined), "%s/%s", text, rest);

    if (size < 0 || (size_t)size >= sizeof(joined))
        return -ENAMETOOLONG;
    memcpy(walk->rest, joined, (size_t)size + 1);
    return 0;
}

static int append(struct walk *walk, const char *name, size_t size)
{
    if (walk->done_size + 1 + size >= sizeof(walk->done))
        return -ENAMETOOLONG;
    walk->done[walk->done_size++] = '/';
    memcpy(walk->done + walk->done_size, name, size);
    walk->done_size += size;
    walk->done[walk->done_size] = '\0';
    return 0;
}

static void drop_last(struct walk *walk)
{
    char *slash = strrchr(walk->done, '/');

    walk->done_size = slash != NULL ? (size_t)(slash - walk->done) : 0;
    walk->done[walk->done_size] = '\0';
}

/* No link, as another path has shown. */
static bool is_known(const struct walk *walk)
{
    const char *plain = walk->notes != NULL ? walk->notes->plain : "";

    return strncmp(plain, walk->done, walk->done_size) == 0 &&
           (plain[walk->done_size] == '/' || plain[walk->done_size] == '\0');
}

static void note_plain(const struct walk *walk)
{
    if (walk->notes != NULL)
        memcpy(walk->notes->plain, walk->done, walk->done_size + 1);
}

static void note(struct string_list *list, const struct walk *walk)
{
    if (list != NULL)
        string_list_add(list, walk->done);
}

/* Follows the link that `done` now ends with, if it is one. */
static int follow_link(struct walk *walk, const char *rest)
{
    char target[PATH_MAX];
    char parent[PATH_MAX];
    ssize_t size = readlink(walk->done, target, sizeof(target) - 1);
    bool magic;

    if (size < 0) {
        if (errno == ENOENT)
            walk->missing = true;
        else if (errno == EINVAL)
            note_plain(walk);
        return put_in_front(walk, "", rest);
    }
    target[size] = '\0';
    if (walk->notes != NULL)
        note(walk->notes->links, walk);
    memcpy(parent, walk->done, walk->done_size + 1);
    drop_last(walk);
    magic = is_magic_link(walk);
    if (++walk->links > LINKS_LIMIT)
        return -ELOOP;
    if (magic ? is_another_process(walk) : is_in_second_proc(walk))
        return -EXDEV;
    if (magic) {
        walk->magic = true;
        /* "pipe:[1234]" is no path: the link itself is as far as words go. */
        if (target[0] != '/') {
            walk->done_size = strlen(parent);
            memcpy(walk->done, parent, walk->done_size + 1);
            walk->missing = true;
            return put_in_front(walk, "", rest);
        }
    }
    if (target[0] == '/') {
        walk->done_size = 0;
        walk->done[0] = '\0';
    }
    return put_in_front(walk, target, rest);
}

/* Takes the next component off `rest`. Returns 1 at the end. */
static int step(struct walk *walk, enum path_follow follow)
{
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t size = strcspn(start, "/");
    char after[PATH_MAX];
    bool last;
    int status;

    if (size == 0)
        return 1;
    snprintf(after, sizeof(after), "%s", start + size);
    last = after[strspn(after, "/")] == '\0';
    if (size == 1 && start[0] == '.')
        return put_in_front(walk, "", after);
    if (size == 2 && start[0] == '.' && start[1] == '.') {
        drop_last(walk);
        walk->missing = false;
        return put_in_front(walk, "", after);
    }
    status = append(walk, start, size);
    if (status < 0)
        return status;
    if (walk->notes != NULL)
        note(walk->notes->places, walk);
    /* "link/" asks for what the link leads to, even where the operation keeps a last link. */
    if (walk->missing || (last && follow == PATH_KEEP_LAST && after[0] == '\0') || is_known(walk))
        return put_in_front(walk, "", after);
    return follow_link(walk, after);
}

/* Where a relative path starts, into `done`. */
static int start_at(struct walk *walk, int dir_fd)
{
    char link[64];
    ssize_t size;

    if (dir_fd == AT_FDCWD) {
        if (getcwd(walk->done, sizeof(walk->done)) == NULL)
            return -errno;
        if (walk->done[0] != '/')   /* "(unreachable)…": the directory is outside of our root */
            return -ENOENT;
        walk->done_size = strlen(walk->done);
    } else {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
        size = readlink(link, walk->done, sizeof(walk->done) - 1);
        if (size <= 0 || walk->done[0] != '/')
            return -EBADF;
        if ((size_t)size == sizeof(walk->done) - 1) /* there may be more of it */
            return -ENAMETOOLONG;
        walk->done[size] = '\0';
        walk->done_size = (size_t)size;
    }
    if (walk->done_size == 1) { /* "/" */
        walk->done_size = 0;
        walk->done[0] = '\0';
    }
    return 0;
}

static int walk_path(struct walk *walk, struct bytes path, int dir_fd, enum path_follow follow,
                     struct path_notes *notes)
{
    int status = 0;

    walk->notes = notes;
    if (path.size == 0 || memchr(path.data, '\0', path.size) != NULL)
        return -EINVAL;
    if (path.size >= sizeof(walk->rest))
        return -ENAMETOOLONG;
    walk->done[0] = '\0';
    walk->done_size = 0;
    walk->links = 0;
    walk->missing = false;
    walk->magic = false;
    memcpy(walk->rest, path.data, path.size);
    walk->rest[path.size] = '\0';
    if (walk->rest[0] != '/')
        status = start_at(walk, dir_fd);
    while (status == 0)
        status = step(walk, follow);
    return status < 0 ? status : 0;
}

static int answer(const struct walk *walk, int status, char ret_resolved[PATH_MAX], bool *ret_magic)
{
    if (status < 0)
        return status;
    snprintf(ret_resolved, PATH_MAX, "%s", walk->done_size > 0 ? walk->done : "/");
    *ret_magic = walk->magic;
    return 0;
}

int path_resolve(struct bytes path, int dir_fd, enum path_follow follow, char ret_resolved[PATH_MAX],
                 bool *ret_magic)
{
    struct walk walk;
    int status = walk_path(&walk, path, dir_fd, follow, NULL);

    return answer(&walk, status, ret_resolved, ret_magic);
}

int path_resolve_noting(struct bytes path, struct path_notes *notes, char ret_resolved[PATH_MAX], bool *ret_magic)
{
    struct walk walk;
    int status = walk_path(&walk, path, AT_FDCWD, PATH_FOLLOW_LAST, notes);

    return answer(&walk, status, ret_resolved, ret_magic);
}
