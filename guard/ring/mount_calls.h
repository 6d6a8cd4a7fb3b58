/*
 * mount_calls - the system calls for mounts that the C library of a Debian 12 does not have
 *
 * Each returns a descriptor or 0, or -errno. Private to mount_view.c.
 */
#pragma once

/* A copy of the mounts below a path, attached nowhere; of a link, the link itself. */
int mount_clone(const char *path);
/* A file system in memory, attached nowhere; mode of its root in octal digits; at most `size_mb`, 0: as usual. */
int mount_new_tmpfs(const char *mode, long size_mb);
/* With all mounts below it. */
int mount_set_read_only(int mount);
/* Nothing in it is run or mapped as code; the same. */
int mount_set_no_code(int mount);
/* No device in it can be opened; the same. */
int mount_set_no_devices(int mount);
/* Attaches it over a path. */
int mount_move(int mount, const char *path);
/* "/a/b" below the root of a mount. */
void mount_make_folders(int mount, const char *path);
