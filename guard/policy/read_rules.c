#include "guard/policy/read_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { FOLDERS = 64, FOLDER_BYTES = 240 };

/* A folder as it was written, in which no name can lead to something denied unless it is a link. */
struct clear_folder {
    const struct policy *policy; /* NULL: free */
    dev_t device;
    ino_t inode;
    size_t size;
    char text[FOLDER_BYTES];
};

static struct clear_folder clear_folders[FOLDERS];

struct split_path {
    struct bytes folder;
    const char *name;
    char text[FOLDER_BYTES + NAME_MAX + 2]; /* the whole path, with a NUL */
};

/* False for what the quick way does not handle. */
static bool split(struct bytes path, struct split_path *ret_split)
{
    const char *slash = path.size > 0 ? memrchr(path.data, '/', path.size) : NULL;
    size_t folder = slash != NULL ? (size_t)(slash - (const char *)path.data) + 1 : 0;
    size_t name = path.size - folder;

    if (name == 0 || name > NAME_MAX || folder >= FOLDER_BYTES ||
        memchr(path.data, '\0', path.size) != NULL)
        return false;
    memcpy(ret_split->text, path.data, path.size);
    ret_split->text[path.size] = '\0';
    ret_split->name = ret_split->text + folder;
    ret_split->folder = (struct bytes){ret_split->text, folder};
    return strcmp(ret_split->name, ".") != 0 && strcmp(ret_split->name, "..") != 0;
}

static struct clear_folder *place_of(struct bytes folder)
{
    unsigned hash = 5381;

    for (size_t i = 0; i < folder.size; i++)
        hash = hash * 33 + ((const unsigned char *)folder.data)[i];
    return &clear_folders[hash % FOLDERS];
}

static int stat_folder(struct bytes folder, struct stat *ret_about)
{
    char text[FOLDER_BYTES + 1];

    if (folder.size == 0)
        return stat(".", ret_about);
    memcpy(text, folder.data, folder.size);
    text[folder.size] = '\0';
    return stat(text, ret_about);
}

/* Wherever it lies: a folder for chroot() has such, and a container shows those of its machine under another name. One that swallows
   or makes data is put in the place of files that nobody shall see. */
static bool is_device(const struct stat *about)
{
    static const unsigned harmless[] = {3, 5, 7, 8, 9}; /* of memory: null, zero, full, random, urandom */

    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (S_ISCHR(about->st_mode) && about->st_rdev == makedev(1, harmless[i]))
            return false;
    return S_ISCHR(about->st_mode) || S_ISBLK(about->st_mode);
}

static bool is_clear(const struct policy *policy, const struct split_path *path)
{
    const struct clear_folder *place = place_of(path->folder);
    struct stat about;

    if (place->policy != policy ||
        !bytes_equal(path->folder, (struct bytes){place->text, place->size}) ||
        stat_folder(path->folder, &about) < 0 || about.st_ino != place->inode ||
        about.st_dev != place->device)
        return false;
    return lstat(path->text, &about) == 0 ? !S_ISLNK(about.st_mode) && !is_device(&about) : errno == ENOENT;
}

/* Only where nothing denied lies in the folder or above it; /proc and /dev are never clear. */
static void remember_clear(const struct policy *policy, const struct split_path *path)
{
    struct clear_folder *place = place_of(path->folder);
    struct bytes folder = path->folder.size > 0 ? path->folder : BYTES_LITERAL(".");
    char resolved[PATH_MAX];
    struct stat about;
    bool magic;

    if (policy->read_allowed != NULL || stat_folder(path->folder, &about) < 0 ||
        path_resolve(folder, AT_FDCWD, PATH_FOLLOW_LAST, resolved, &magic) != 0 || magic ||
        strncmp(resolved, "/proc", 5) == 0 || path_shows_processes(resolved) || strncmp(resolved, "/dev", 4) == 0 ||
        write_roots_cover(policy->read_denied, resolved) || write_roots_hold_root(policy->read_denied, resolved))
        return;
    *place = (struct clear_folder){
        .policy = policy, .device = about.st_dev, .inode = about.st_ino, .size = path->folder.size};
    memcpy(place->text, path->folder.data, path->folder.size);
}

/* /proc/<pid>/environ and mem, also those of a thread, and the memory of all (root's to read). Our own environment
   holds no secrets any more. */
static bool is_process_secret(const char *resolved)
{
    static const char *const secrets[] = {"environ", "mem", "kcore", "vmcore"};
    const char *name = strrchr(resolved, '/');
    char *end;
    long pid;

    if (strncmp(resolved, "/proc/", 6) != 0) {
        for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
            if (name != NULL && strcmp(name + 1, secrets[i]) == 0)
                return path_shows_processes(resolved);
        return false;
    }
    if (strcmp(resolved + 6, "kcore") == 0 || strcmp(resolved + 6, "vmcore") == 0)
        return true;
    pid = strtol(resolved + 6, &end, 10);
    if (end == resolved + 6)
        return false;
    if (strncmp(end, "/task/", 6) == 0)
        strtol(end + 6, &end, 10);
    if (strcmp(end, "/mem") == 0)
        return true;
    return strcmp(end, "/environ") == 0 && pid != (long)getpid();
}

/* Who reads a terminal takes away what somebody types there, and who reads the log of Linux what others wait for. */
static bool is_foreign_device(const char *resolved)
{
    const char *name = strrchr(resolved, '/');
    struct stat about;

    if (name != NULL && strcmp(name, "/kmsg") == 0 && path_shows_processes(resolved))
        return true;
    return stat(resolved, &about) == 0 && is_device(&about);
}

/* What is written can be read back. */
static bool is_readable(const struct policy *policy, const char *resolved)
{
    return policy->read_allowed == NULL || write_roots_cover(policy->read_allowed, resolved) ||
           (policy->write_roots != NULL && write_roots_cover(policy->write_roots, resolved));
}

/* What the folder's name says must be where it is, and no cell and no denied path near it. */
static bool is_free(const struct policy *policy, const char *folder, struct path_notes *notes)
{
    char resolved[PATH_MAX];
    bool magic;

    return path_resolve_noting(bytes_of_string(folder), notes, resolved, &magic) == 0 && !magic && strcmp(resolved, folder) == 0 &&
           !write_roots_cover(policy->write_roots, folder) &&
           !write_roots_cover(policy->read_denied, folder) &&
           !write_roots_hold_root(policy->read_denied, folder) &&
           (policy->read_allowed == NULL || write_roots_cover(policy->read_allowed, folder));
}

void read_rules_prepare(struct policy *policy)
{
    struct path_notes notes = {.links = NULL};

    if (policy->write_roots == NULL || policy->read_denied == NULL)
        return;
    for (size_t i = 0; i < policy->read_only.count; i++)
        if (policy->read_only.items[i][0] == '/' && is_free(policy, policy->read_only.items[i], &notes))
            string_list_add(&policy->read_free, policy->read_only.items[i]);
}

static bool is_below_free(const struct policy *policy, struct bytes path)
{
    for (size_t i = 0; i < policy->read_free.count; i++) {
        size_t size = strlen(policy->read_free.items[i]);

        if (path.size > size && memcmp(path.data, policy->read_free.items[i], size) == 0 &&
            ((const char *)path.data)[size] == '/')
            return memmem(path.data, path.size, "/..", 3) == NULL;
    }
    return false;
}

/* The system takes none of these: open() fails by itself. */
static bool is_no_path(struct bytes path)
{
    return path.size == 0 || path.size >= PATH_MAX || memchr(path.data, '\0', path.size) != NULL;
}

enum read_answer read_rules_ask(const struct policy *policy, struct bytes path, int dir_fd,
                                char ret_resolved[PATH_MAX])
{
    struct split_path parts;
    bool is_plain;
    bool magic;

    if (is_below_free(policy, path))
        return READ_ALLOWED;
    is_plain = dir_fd == AT_FDCWD && split(path, &parts);
    if (is_plain && is_clear(policy, &parts))
        return READ_ALLOWED;
    if (is_no_path(path))
        return READ_ALLOWED;
    if (path_resolve(path, dir_fd, PATH_FOLLOW_LAST, ret_resolved, &magic) != 0)
        return READ_UNRESOLVED;
    if (policy->read_denied != NULL && write_roots_cover(policy->read_denied, ret_resolved))
        return READ_DENIED;
    if (is_process_secret(ret_resolved))
        return READ_PROCESS;
    if (is_foreign_device(ret_resolved))
        return READ_DEVICE;
    if (!is_readable(policy, ret_resolved))
        return READ_OUTSIDE;
    if (is_plain)
        remember_clear(policy, &parts);
    return READ_ALLOWED;
}
