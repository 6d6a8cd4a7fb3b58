#include "guard/ring/mount_calls.h"

#include "guard/link/buffer.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

int mount_clone(const char *path)
{
    long mount = syscall(SYS_open_tree, AT_FDCWD, path,
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);

    return mount < 0 ? -errno : (int)mount;
}

static bool set_text(int context, const char *key, const char *value)
{
    return syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0) == 0;
}

int mount_new_tmpfs(const char *mode, long size_mb)
{
    cleanup_free char *size = xasprintf("%ldM", size_mb);
    cleanup_close int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    long mount;

    if (context < 0 || !set_text(context, "mode", mode) || (size_mb != 0 && !set_text(context, "size", size)) ||
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    mount = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return mount < 0 ? -errno : (int)mount;
}

static int set_attributes(int mount, unsigned long long set)
{
    struct mount_attr attributes = {.attr_set = set};
    long result = syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes,
                          sizeof(attributes));

    return result < 0 ? -errno : 0;
}

int mount_set_read_only(int mount)
{
    return set_attributes(mount, MOUNT_ATTR_RDONLY);
}

int mount_set_no_code(int mount)
{
    return set_attributes(mount, MOUNT_ATTR_NOEXEC);
}

int mount_set_no_devices(int mount)
{
    return set_attributes(mount, MOUNT_ATTR_NODEV);
}

int mount_move(int mount, const char *path)
{
    long result = syscall(SYS_move_mount, mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);

    return result < 0 ? -errno : 0;
}

void mount_make_folders(int mount, const char *path)
{
    cleanup_free char *part = xstrdup(path + strspn(path, "/"));

    for (char *slash = strchr(part, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdirat(mount, part, 0700);
        *slash = '/';
    }
    if (part[0] != '\0')
        mkdirat(mount, part, 0700);
}
