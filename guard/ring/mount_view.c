#include "guard/ring/mount_view.h"
#include "guard/ring/mount_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *const devices[] = {"null", "zero", "full", "random", "urandom"};
/* In /dev: an empty folder and an empty file that nobody may open. */
#define BLANK ".none"
enum { DEVICES = sizeof(devices) / sizeof(devices[0]) };

/* ---- entering -------------------------------------------------------------------------------- */

static int write_text(const char *path, const char *text)
{
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

static int map_ids(uid_t user, gid_t group)
{
    cleanup_free char *users = xasprintf("%u %u 1", user, user);
    cleanup_free char *groups = xasprintf("%u %u 1", group, group);
    int result = write_text("/proc/self/uid_map", users);

    if (result == 0)
        result = write_text("/proc/self/setgroups", "deny");
    return result == 0 ? write_text("/proc/self/gid_map", groups) : result;
}

static bool is_single_threaded(void)
{
    struct stat tasks;

    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3;
}

int mount_view_enter(void)
{
    uid_t user = geteuid();
    gid_t group = getegid();

    if (!is_single_threaded())
        return -EBUSY;
    if (unshare(CLONE_NEWNS) < 0) {
        int result;

        if (unshare(CLONE_NEWNS | CLONE_NEWUSER) < 0)
            return -errno;
        result = map_ids(user, group);
        if (result < 0)
            return result;
    }
    /* What the system mounts later would come with the system's flags. */
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

/* ---- the view -------------------------------------------------------------------------------- */

/* Mounts that are made while the old tree is still seen, and put into the new one by their path. */
struct piece {
    int mount;
    char *path;
};

struct view {
    int tree;
    struct piece *pieces;
    size_t count;
};

static void view_finish(struct view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        close(view->pieces[i].mount);
        free(view->pieces[i].path);
    }
    free(view->pieces);
    if (view->tree >= 0)
        close(view->tree);
}

static int add_piece(struct view *view, int mount, const char *path)
{
    if (mount < 0)
        return mount;
    view->pieces = xrealloc(view->pieces, (view->count + 1) * sizeof(*view->pieces));
    view->pieces[view->count++] = (struct piece){mount, xstrdup(path)};
    return 0;
}

/* One mount for both, so that files can be moved between them. */
static bool is_in_other_root(const struct ring_paths *paths, size_t index)
{
    for (size_t i = 0; i < paths->roots.count; i++)
        if (i != index && ring_path_is_below(paths->roots.items[index], paths->roots.items[i]))
            return true;
    return false;
}

/* A folder above it that is a read-only piece of its own, such as .venv? */
static bool is_in_piece(const struct ring_paths *paths, const char *folder)
{
    for (size_t i = 0; i < paths->read_only.count; i++)
        if (strcmp(paths->read_only.items[i], folder) != 0 &&
            ring_path_is_below(folder, paths->read_only.items[i]))
            return true;
    return false;
}

/* An environment inside of the root has libraries beside its packages, too, and they are code. */
static bool holds_environment(const struct ring_paths *paths, const char *root)
{
    for (size_t i = 0; i < paths->read_only.count; i++) {
        const char *path = paths->read_only.items[i];
        bool is_packages = strstr(path, "-packages") != NULL || strstr(path, "/lib/python") != NULL;

        if (is_packages && ring_path_is_below(path, root) && !is_in_piece(paths, path))
            return true;
    }
    return false;
}

/* What a cell can write is no code: a native library of its own, which other native code would load without asking
   anybody (a plugin of polars, an extension of duckdb). `folder` is the root or lies in it. */
static int add_root(struct view *view, const struct ring_paths *paths, const char *root, const char *folder)
{
    int mount = mount_clone(folder);
    int result = add_piece(view, mount, folder);

    if (result == 0)
        result = mount_set_no_devices(mount);
    return result == 0 && !holds_environment(paths, root) ? mount_set_no_code(mount) : result;
}

static bool has_piece(const struct view *view, const char *path)
{
    for (size_t i = 0; i < view->count; i++)
        if (strcmp(view->pieces[i].path, path) == 0)
            return true;
    return false;
}

static const char *outermost_root(const struct ring_paths *paths, const char *path)
{
    for (size_t i = 0; i < paths->roots.count; i++)
        if (!is_in_other_root(paths, i) && ring_path_is_below(path, paths->roots.items[i]))
            return paths->roots.items[i];
    return NULL;
}

/*
 * A mount cannot be moved away, but a folder above it can, and then another one can be put in its place. So
 * the folders on the way from the root to what stays read-only are mounts as well, as writable as the root.
 */
static int add_way(struct view *view, const struct ring_paths *paths, const char *path)
{
    const char *root = outermost_root(paths, path);
    cleanup_free char *folder = xstrdup(path);
    int result = 0;

    if (root == NULL || strcmp(root, path) == 0)
        return 0;
    for (char *slash = strchr(folder + (strcmp(root, "/") == 0 ? 0 : strlen(root)) + 1, '/');
         result == 0 && slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!has_piece(view, folder))
            result = add_root(view, paths, root, folder);
        *slash = '/';
    }
    return result;
}

static int add_read_only(struct view *view, const char *path)
{
    int mount = mount_clone(path);
    int result = add_piece(view, mount, path);

    if (result == 0)
        result = mount_set_no_devices(mount);
    return result == 0 ? mount_set_read_only(mount) : result;
}

static int add_roots(struct view *view, const struct ring_paths *paths)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < paths->roots.count; i++)
        if (!is_in_other_root(paths, i))
            result = add_root(view, paths, paths->roots.items[i], paths->roots.items[i]);
    for (size_t i = 0; result == 0 && i < paths->read_only.count; i++) {
        const char *path = paths->read_only.items[i];

        if (!is_in_piece(paths, path))
            result = add_way(view, paths, path);
        if (result == 0)
            result = add_read_only(view, path);
    }
    /* What may not be read is covered where it is; the next session looks for it at the same place. */
    for (size_t i = 0; result == 0 && i < paths->denied.count; i++)
        if (!ring_path_is_in(paths->denied.items[i], &paths->read_only))
            result = add_way(view, paths, paths->denied.items[i]);
    return result;
}

static int fill_dev(int dev)
{
    if (symlinkat("/proc/self/fd", dev, "fd") < 0 || symlinkat("fd/0", dev, "stdin") < 0 ||
        symlinkat("fd/1", dev, "stdout") < 0 || symlinkat("fd/2", dev, "stderr") < 0 ||
        mkdirat(dev, "shm", 0755) < 0 || mkdirat(dev, BLANK, 0755) < 0 ||
        mkdirat(dev, BLANK "/folder", 0) < 0)
        return -errno;
    close(openat(dev, BLANK "/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0));
    return mount_set_read_only(dev);
}

/* A /dev with nothing in it that reaches a terminal, a disk or another program. */
static int add_devices(struct view *view)
{
    int dev = mount_new_tmpfs("0755", 0);
    int result = dev < 0 ? dev : add_piece(view, dev, "/dev");

    for (int i = 0; result == 0 && i < DEVICES; i++) {
        cleanup_free char *path = xasprintf("/dev/%s", devices[i]);
        int mount = mount_clone(path);

        if (mount < 0)
            continue; /* a container without it */
        close(openat(dev, devices[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        result = add_piece(view, mount, path);
        if (result == 0)
            result = mount_set_read_only(mount); /* its mode and times; the device takes what is written */
    }
    if (result != 0)
        return result;
    return fill_dev(dev);
}

/* Semaphores and segments of this session alone: multiprocessing and joblib want them. */
static int add_shared_memory(struct view *view, const struct ring_paths *paths)
{
    int mount = mount_new_tmpfs("1777", paths->memory_mb);
    int result = mount < 0 ? mount : add_piece(view, mount, "/dev/shm");

    if (result == 0)
        result = mount_set_no_code(mount);

    for (size_t i = 0; result == 0 && i < paths->roots.count; i++)
        if (ring_path_is_below(paths->roots.items[i], "/dev/shm"))
            mount_make_folders(mount, paths->roots.items[i] + strlen("/dev/shm"));
    return result;
}

/* In the order in which they are put: a later piece may lie in an earlier one. */
static int make_view(struct view *view, const struct ring_paths *paths)
{
    int result = 0;

    view->tree = mount_clone("/");
    if (view->tree < 0)
        return view->tree;
    /* A terminal, a disk: a chroot elsewhere has a /dev, too, and no Landlock asks who reads there. */
    result = mount_set_no_devices(view->tree);
    if (result == 0 && paths->guards_writes && !ring_path_is_in("/", &paths->roots))
        result = mount_set_read_only(view->tree);
    if (result == 0)
        result = add_devices(view);
    if (result == 0)
        result = add_shared_memory(view, paths);
    return result == 0 ? add_roots(view, paths) : result;
}

static bool holds_root(const struct ring_paths *paths, const char *folder)
{
    for (size_t i = 0; i < paths->roots.count; i++)
        if (ring_path_is_below(paths->roots.items[i], folder))
            return true;
    return false;
}

/* Nobody may open what covers a denied path: its mode is 0. */
static int cover_denied(const struct ring_paths *paths, bool *ret_covered)
{
    int result = 0;

    *ret_covered = true;
    for (size_t i = 0; result == 0 && i < paths->denied.count; i++) {
        const char *path = paths->denied.items[i];
        struct stat about;

        if (holds_root(paths, path)) {
            *ret_covered = false;
        } else if (stat(path, &about) == 0) {
            cleanup_close int mount =
                mount_clone(S_ISDIR(about.st_mode) ? "/dev/" BLANK "/folder" : "/dev/" BLANK "/file");

            result = mount < 0 ? mount : mount_move(mount, path);
        }
    }
    return result;
}

static int put_pieces(const struct view *view)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < view->count; i++)
        result = mount_move(view->pieces[i].mount, view->pieces[i].path);
    return result;
}

/*
 * Profiles of containers take chroot() away together with CAP_SYS_CHROOT, also where a user namespace
 * would give it back, and leave pivot_root() alone. The latter lays the old tree over the new one.
 */
static int make_root(void)
{
    if (chroot(".") == 0)
        return 0;
    if (syscall(SYS_pivot_root, ".", ".") < 0)
        return -errno;
    return umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ? MOUNT_VIEW_E_BROKEN : 0;
}

/* Puts the new tree over the root and goes into it. */
static int enter_tree(const struct view *view)
{
    int result = mount_move(view->tree, "/");

    if (result < 0)
        return result;
    result = fchdir(view->tree) < 0 ? -errno : make_root();
    if (result < 0)
        umount2(".", MNT_DETACH);
    return result;
}

int mount_view_close(const struct ring_paths *paths, bool *ret_covered)
{
    struct view view = {.tree = -1};
    cleanup_free char *here = getcwd(NULL, 0);
    int result = make_view(&view, paths);

    if (result == 0)
        result = enter_tree(&view);
    if (result == 0 && (put_pieces(&view) < 0 || cover_denied(paths, ret_covered) < 0))
        result = MOUNT_VIEW_E_BROKEN;
    /*
     * The working directory is found again by its name: the old one is a place in the old tree. Without a
     * view, too: "." is a write root, and the attempt may have left us in the root folder.
     */
    if (chdir(here != NULL ? here : "/") < 0)
        result = MOUNT_VIEW_E_BROKEN;
    view_finish(&view);
    return result;
}
