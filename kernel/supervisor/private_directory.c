#include "kernel/supervisor/private_directory.h"

#include "guard/link/buffer.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

enum {
    DEPTH_MAX = 200, /* each level is a descriptor; what lies deeper stays */
    LEFT_MODE = 01700, /* of a directory whose kernel, while it lives, holds the lock */
    LEFT_SECONDS = 60 * 60,
    LOOKED_AT_MAX = 2000, /* what the end of a kernel may take: names that are read … */
    REMOVED_MAX = 500,    /* … and files that are removed; the next one goes on */
};

static int held = -1; /* our own directory, locked for as long as this process lives */

/*
 * matplotlib builds its font list at first import, for 0.7 s, unless it finds one. The user's own is
 * copied: a link would let a cell read through it, a shared file would let it write.
 */
static void copy_file(const char *from, const char *to)
{
    cleanup_close int source = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    cleanup_close int target = -1;
    char bytes[64 * 1024];
    ssize_t count;

    if (source < 0)
        return;
    target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (target >= 0 && (count = read(source, bytes, sizeof(bytes))) > 0)
        if (write(target, bytes, (size_t)count) != count)
            break;
}

static char *font_cache_directory(void)
{
    const char *configured = getenv("MPLCONFIGDIR");
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");

    if (configured != NULL)
        return xstrdup(configured);
    if (cache != NULL)
        return xasprintf("%s/matplotlib", cache);
    return xasprintf("%s/.cache/matplotlib", home != NULL ? home : "");
}

static void seed_font_cache(const char *path)
{
    cleanup_free char *from = font_cache_directory();
    DIR *directory = opendir(from);
    struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        cleanup_free char *source = xasprintf("%s/%s", from, entry->d_name);
        cleanup_free char *target = xasprintf("%s/matplotlib/%s", path, entry->d_name);

        if (strncmp(entry->d_name, "fontlist-", 9) == 0)
            copy_file(source, target);
    }
    if (directory != NULL)
        closedir(directory);
}

/* The first place where a directory can be made: a TMPDIR that is gone should not cost the kernel. */
static char *make_somewhere(void)
{
    const char *const parents[] = {getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"};

    for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
        bool is_absolute = parents[i] != NULL && parents[i][0] == '/';
        cleanup_free char *path = is_absolute ? xasprintf("%s/safepyrun-XXXXXX", parents[i]) : NULL;

        if (path != NULL && mkdtemp(path) != NULL)
            return steal(path);
    }
    return NULL;
}

/* Locked before it is marked: who finds the mark and no lock knows that nobody is left. */
static void hold(const char *path)
{
    held = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (held >= 0 && flock(held, LOCK_EX | LOCK_NB) == 0)
        fchmod(held, LEFT_MODE);
}

char *private_directory_make(char **ret_error)
{
    static const char *const inside[] = {"ipython", "matplotlib", "cache"};
    char *path = make_somewhere();

    if (path == NULL) {
        *ret_error = xasprintf("cannot make a temporary directory in TMPDIR, /tmp, /var/tmp or "
                               "/dev/shm: %s",
                               strerror(errno));
        return NULL;
    }
    hold(path);
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        cleanup_free char *name = xasprintf("%s/%s", path, inside[i]);

        mkdir(name, 0700);
    }
    seed_font_cache(path);
    return path;
}

/* By descriptors, and no link is followed: a process of the session that is still there could put one in a folder's place. */
static void remove_folder(int parent, const char *name, int depth, long *budget)
{
    int fd = depth < DEPTH_MAX ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    while (directory != NULL && *budget > 0 && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        --*budget;
        if (unlinkat(dirfd(directory), entry->d_name, 0) < 0 && errno == EISDIR)
            remove_folder(dirfd(directory), entry->d_name, depth + 1, budget);
    }
    if (directory != NULL)
        closedir(directory);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* Ours, marked, unchanged for an hour, and its kernel is gone. The lock that was taken goes with the descriptor. */
static bool was_left(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && about.st_uid == geteuid() && (about.st_mode & 07777) == LEFT_MODE &&
           time(NULL) - about.st_mtime > LEFT_SECONDS && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* A kernel that was killed could not remove its own; managers kill those that they want to be gone at once. */
static void remove_left(const char *own)
{
    static const char prefix[] = "safepyrun-";
    cleanup_free char *parent = xstrndup(own, (size_t)(strrchr(own, '/') - own));
    DIR *directory = opendir(parent);
    const struct dirent *entry;
    long budget = REMOVED_MAX;

    for (int i = 0; directory != NULL && i < LOOKED_AT_MAX && budget > 0; i++) {
        cleanup_close int fd = -1;

        entry = readdir(directory);
        if (entry == NULL)
            break;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && was_left(fd))
            remove_folder(dirfd(directory), entry->d_name, 0, &budget);
    }
    if (directory != NULL)
        closedir(directory);
}

void private_directory_remove(char *path)
{
    long all = LONG_MAX;

    if (path != NULL) {
        remove_folder(AT_FDCWD, path, 0, &all);
        remove_left(path);
    }
    free(path);
}
