#include "kernel/supervisor/private_directory.h"

#include "guard/link/buffer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 200 }; /* each level is a descriptor; what lies deeper stays */

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
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        cleanup_free char *name = xasprintf("%s/%s", path, inside[i]);

        mkdir(name, 0700);
    }
    seed_font_cache(path);
    return path;
}

/* By descriptors, and no link is followed: a process of the session that is still there could put one in a folder's place. */
static void remove_folder(int parent, const char *name, int depth)
{
    int fd = depth < DEPTH_MAX ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(directory), entry->d_name, 0) < 0 && errno == EISDIR)
            remove_folder(dirfd(directory), entry->d_name, depth + 1);
    }
    if (directory != NULL)
        closedir(directory);
    unlinkat(parent, name, AT_REMOVEDIR);
}

void private_directory_remove(char *path)
{
    if (path != NULL)
        remove_folder(AT_FDCWD, path, 0);
    free(path);
}
