#include "guard/ring/landlock.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- what linux/landlock.h of an older system does not have ---------------------------------- */

#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define FS_RESOLVE_UNIX (1ULL << 16)
#define NET_ALL (3ULL)   /* bind and connect, TCP */
#define SCOPE_ALL (3ULL) /* abstract UNIX sockets, signals */
#define LOG_SAME_EXEC_OFF (1U << 0)

struct ruleset_attributes {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4 */
    uint64_t scoped;             /* ABI 6 */
};

static size_t attributes_size(int abi)
{
    if (abi >= LANDLOCK_ABI_SCOPE)
        return sizeof(struct ruleset_attributes);
    if (abi >= LANDLOCK_ABI_NETWORK)
        return offsetof(struct ruleset_attributes, scoped);
    return offsetof(struct ruleset_attributes, handled_access_net);
}

int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return abi > 0 ? (int)abi : 0;
}

/* ---- rights ---------------------------------------------------------------------------------- */

static const struct {
    int abi;
    uint64_t rights;
} writing[] = {
    {1, LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
            LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
            LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
            LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
            LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM},
    {LANDLOCK_ABI_REFER, LANDLOCK_ACCESS_FS_REFER},
    {LANDLOCK_ABI_TRUNCATE, FS_TRUNCATE},
};

/* Handled and granted nowhere: programs, requests to devices, sockets of other programs. */
static const struct {
    int abi;
    uint64_t rights;
} never[] = {
    {1, LANDLOCK_ACCESS_FS_EXECUTE},
    {LANDLOCK_ABI_IOCTL, FS_IOCTL_DEV},
    {LANDLOCK_ABI_UNIX, FS_RESOLVE_UNIX},
};

/* All that makes sense for something that is no folder. */
#define FILE_RIGHTS                                                                                \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE)

/* What a ruleset of this ABI knows of writing. */
static uint64_t write_rights(int abi)
{
    uint64_t rights = 0;

    for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++)
        if (abi >= writing[i].abi)
            rights |= writing[i].rights;
    return rights;
}

static uint64_t read_rights(void)
{
    return LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
}

static uint64_t never_rights(int abi)
{
    uint64_t rights = 0;

    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (abi >= never[i].abi)
            rights |= never[i].rights;
    return rights;
}

uint32_t landlock_restrict_flags(int abi)
{
    return abi >= LANDLOCK_ABI_LOG ? LOG_SAME_EXEC_OFF : 0;
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* A path that is not there needs no rule. */
static void allow(int ruleset, const char *path, uint64_t rights)
{
    cleanup_close int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    struct stat about;

    if (fd < 0 || fstat(fd, &about) < 0)
        return;
    if (!S_ISDIR(about.st_mode))
        rule.allowed_access &= FILE_RIGHTS;
    if (rule.allowed_access != 0)
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static bool holds_denied(const struct ring_paths *paths, const char *folder)
{
    for (size_t i = 0; i < paths->denied.count; i++)
        if (ring_path_is_below(paths->denied.items[i], folder))
            return true;
    return false;
}

/*
 * Landlock only allows. So a denied path is what is left over when everything beside it is allowed,
 * on each level above it. What is made there later, outside of the write roots, cannot be read.
 */
static void allow_reading_around(int ruleset, const struct ring_paths *paths, const char *folder)
{
    DIR *directory;
    const struct dirent *entry;

    if (ring_path_is_in(folder, &paths->denied))
        return;
    if (!holds_denied(paths, folder)) {
        allow(ruleset, folder, read_rights());
        return;
    }
    directory = opendir(folder);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        cleanup_free char *path = xasprintf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder,
                                            entry->d_name);

        /* A link has no rights of its own: where it leads to is asked. */
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            entry->d_type != DT_LNK)
            allow_reading_around(ruleset, paths, path);
    }
    if (directory != NULL)
        closedir(directory);
}

static bool reads_are_handled(const struct landlock_request *request)
{
    return request->paths->guards_reads ||
           (request->denies_by_rules && request->paths->denied.count > 0);
}

static void allow_reading(int ruleset, const struct landlock_request *request)
{
    const struct ring_paths *paths = request->paths;
    struct ring_paths around = *paths;

    if (!request->denies_by_rules)
        around.denied = (struct string_list){NULL, 0}; /* the mount view hides them */
    if (!paths->guards_reads)
        allow_reading_around(ruleset, &around, "/");
    for (size_t i = 0; i < paths->readable.count; i++)
        allow_reading_around(ruleset, &around, paths->readable.items[i]);
    /* What is written can be read back, new files too: a denied path below stays to the others. */
    for (size_t i = 0; i < paths->roots.count; i++)
        if (!ring_path_is_in(paths->roots.items[i], &around.denied))
            allow(ruleset, paths->roots.items[i], read_rights());
    /* Names, not contents: to hold these as well would need a list of every folder. */
    if (!paths->guards_reads)
        allow(ruleset, "/", LANDLOCK_ACCESS_FS_READ_DIR);
}

static void allow_writing(int ruleset, const struct landlock_request *request)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                          "/dev/urandom"};
    uint64_t rights = write_rights(request->abi);

    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        allow(ruleset, devices[i], rights);
    for (size_t i = 0; i < request->paths->roots.count; i++)
        allow(ruleset, request->paths->roots.items[i], rights);
    if (request->shared_memory)
        allow(ruleset, "/dev/shm",
              rights | (reads_are_handled(request) ? read_rights() : 0));
}

int landlock_ruleset_new(const struct landlock_request *request)
{
    struct ruleset_attributes attributes = {
        .handled_access_fs = never_rights(request->abi), .handled_access_net = NET_ALL,
        .scoped = SCOPE_ALL};
    long ruleset;

    if (request->paths->guards_writes)
        attributes.handled_access_fs |= write_rights(request->abi);
    if (reads_are_handled(request))
        attributes.handled_access_fs |= read_rights();
    ruleset = syscall(SYS_landlock_create_ruleset, &attributes, attributes_size(request->abi), 0);
    if (ruleset < 0)
        return -errno;
    if (request->paths->guards_writes)
        allow_writing((int)ruleset, request);
    if (reads_are_handled(request))
        allow_reading((int)ruleset, request);
    return (int)ruleset;
}
