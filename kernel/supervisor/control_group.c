#include "kernel/supervisor/control_group.h"

#include "guard/link/buffer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

enum {
    FILE_BYTES_MAX = 4096,
    REMOVE_ROUNDS = 100, /* of a millisecond: a killed process leaves its group in its own time */
};

/* ---- its files ---------------------------------------------------------------------------------- */

static bool read_file(const char *folder, const char *name, char ret_text[static FILE_BYTES_MAX])
{
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    cleanup_close int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, ret_text, FILE_BYTES_MAX - 1) : -1;

    ret_text[size > 0 ? size : 0] = '\0';
    return size >= 0;
}

static int write_number(const char *folder, const char *name, uint64_t number)
{
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    cleanup_free char *text = xasprintf("%" PRIu64, number);
    cleanup_close int file = open(path, O_WRONLY | O_CLOEXEC);

    return file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

/* A word of a line of words. */
static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += length)
        if ((at == text || at[-1] == ' ') && strchr(" \n", at[length]) != NULL)
            return true;
    return false;
}

static bool controls(const char *folder, const char *what)
{
    char text[FILE_BYTES_MAX];

    return read_file(folder, "cgroup.subtree_control", text) && has_word(text, what);
}

/* ---- where it may be ---------------------------------------------------------------------------- */

/* root may write everywhere: there the manager's mark is asked for (systemd.resource-control(5), Delegate=). */
static bool is_ours(const char *folder)
{
    cleanup_free char *members = xasprintf("%s/cgroup.procs", folder);
    char mark[2];

    if (access(folder, W_OK | X_OK) != 0 || access(members, W_OK) != 0)
        return false;
    return geteuid() != 0 || getxattr(folder, "user.delegate", mark, sizeof(mark)) > 0 ||
           getxattr(folder, "trusted.delegate", mark, sizeof(mark)) > 0;
}

/* Groups beside ours are made in its parent. A group that holds processes has none below it, but for the topmost. */
char *control_group_find(const char *mount, const char *own, const char **ret_reason)
{
    cleanup_free char *folder = xasprintf("%s%s", mount, strcmp(own, "/") != 0 ? own : "");
    char *name = strrchr(folder, '/');

    if (strcmp(own, "/") != 0)
        *name = '\0';
    if (strstr(own, "..") != NULL)
        *ret_reason = "this process's group is outside of what can be seen here";
    else if (!controls(folder, "memory") && !controls(folder, "pids"))
        *ret_reason = "the group around this process controls neither memory nor processes";
    else if (strcmp(own, "/") != 0 && !is_ours(folder))
        *ret_reason = "the group around this process was not delegated to this user";
    else
        return steal(folder);
    return NULL;
}

static bool find_mount(char ret_path[static FILE_BYTES_MAX])
{
    cleanup_file FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char line[FILE_BYTES_MAX];
    char root[FILE_BYTES_MAX];

    while (mounts != NULL && fgets(line, sizeof(line), mounts) != NULL)
        if (strstr(line, " - cgroup2 ") != NULL && sscanf(line, "%*s %*s %*s %4095s %4095s", root, ret_path) == 2 &&
            strcmp(root, "/") == 0)
            return true;
    return false;
}

static bool find_own(char ret_path[static FILE_BYTES_MAX])
{
    cleanup_file FILE *groups = fopen("/proc/self/cgroup", "re");
    char line[FILE_BYTES_MAX];

    while (groups != NULL && fgets(line, sizeof(line), groups) != NULL)
        if (sscanf(line, "0::%4095[^\n]", ret_path) == 1)
            return true;
    return false;
}

char *control_group_find_own(const char **ret_reason)
{
    char mount[FILE_BYTES_MAX];
    char own[FILE_BYTES_MAX];

    if (find_mount(mount) && find_own(own))
        return control_group_find(mount, own, ret_reason);
    *ret_reason = "cgroup v2 is not mounted";
    return NULL;
}

/* ---- the group ---------------------------------------------------------------------------------- */

static int set_up(const struct control_group *group, const char *parent, pid_t pid, uint64_t memory_bytes, long tasks)
{
    int result = 0;

    if (memory_bytes != 0 && controls(parent, "memory")) {
        result = write_number(group->folder, "memory.high", memory_bytes + memory_bytes / 16);
        if (result == 0)
            result = write_number(group->folder, "memory.max", memory_bytes + memory_bytes / 4);
    }
    if (result == 0 && tasks != 0 && controls(parent, "pids"))
        result = write_number(group->folder, "pids.max", (uint64_t)tasks);
    return result == 0 ? write_number(group->folder, "cgroup.procs", (uint64_t)pid) : result;
}

int control_group_make(struct control_group *group, const char *parent, pid_t pid, uint64_t memory_bytes, long tasks)
{
    int result;

    *group = (struct control_group){.folder = xasprintf("%s/safepyrun-%d", parent, (int)getpid())};
    if (mkdir(group->folder, 0755) < 0 && errno != EEXIST) {
        result = -errno;
        free(steal(group->folder));
        return result;
    }
    result = set_up(group, parent, pid, memory_bytes, tasks);
    if (result < 0)
        control_group_remove(group);
    return result;
}

static uint64_t count_kills(const struct control_group *group)
{
    char text[FILE_BYTES_MAX];
    const char *at = read_file(group->folder, "memory.events", text) ? strstr(text, "oom_kill ") : NULL;

    return at != NULL ? strtoull(at + strlen("oom_kill "), NULL, 10) : 0;
}

bool control_group_has_killed(struct control_group *group)
{
    uint64_t before = group->kills;

    if (group->folder == NULL)
        return false;
    group->kills = count_kills(group);
    return group->kills > before;
}

void control_group_remove(struct control_group *group)
{
    static const struct timespec pause = {.tv_nsec = 1000000};

    if (group->folder == NULL)
        return;
    write_number(group->folder, "cgroup.kill", 1); /* Linux 5.14; before it, processes were ended one by one */
    for (int round = 0; rmdir(group->folder) < 0 && errno == EBUSY && round < REMOVE_ROUNDS; round++)
        nanosleep(&pause, NULL);
    free(steal(group->folder));
}
