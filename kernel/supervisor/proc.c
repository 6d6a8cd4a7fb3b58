#include "kernel/supervisor/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

enum { TEXT_SIZE = 8192 };

/* The file's beginning as a string. */
static bool read_text(const char *path, char text[static TEXT_SIZE])
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    ssize_t got = fd < 0 ? -1 : 1;

    while (got > 0 && size < TEXT_SIZE - 1) {
        got = read(fd, text + size, TEXT_SIZE - 1 - size);
        if (got > 0)
            size += (size_t)got;
    }
    if (got < 0) /* ESRCH: it ended between open() and read() */
        return false;
    text[size] = '\0';
    return size > 0;
}

static bool read_process_text(pid_t pid, const char *name, char text[static TEXT_SIZE])
{
    char path[128];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return read_text(path, text);
}

/* The number behind "\nkey:" in kB, in bytes. */
static bool find_kilobytes(const char *text, const char *key, uint64_t *ret_bytes)
{
    size_t size = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, size) == 0 && line[size] == ':') {
            *ret_bytes = strtoull(line + size + 1, NULL, 10) * 1024;
            return true;
        }
    }
    return false;
}

bool proc_times(pid_t pid, struct proc_times *ret_times)
{
    char text[TEXT_SIZE];
    const char *name_end;
    uint64_t user, system, started;
    int64_t children_user, children_system;
    long tasks;

    if (!read_process_text(pid, "stat", text))
        return false;
    name_end = strrchr(text, ')'); /* the name in parentheses may hold anything */
    if (name_end == NULL || sscanf(name_end + 1,
                                   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
                                   " %" SCNu64 " %" SCNd64 " %" SCNd64 " %*d %*d %ld %*d %" SCNu64,
                                   &user, &system, &children_user, &children_system, &tasks,
                                   &started) != 6)
        return false;
    *ret_times = (struct proc_times){
        .started_ticks = started,
        .cpu_ticks = user + system,
        .children_ticks = (uint64_t)(children_user + children_system),
        .tasks = tasks,
    };
    return true;
}

pid_t proc_parent(pid_t pid)
{
    char text[TEXT_SIZE];
    const char *name_end;
    int parent;

    if (!read_process_text(pid, "stat", text))
        return 0;
    name_end = strrchr(text, ')');
    return name_end != NULL && sscanf(name_end + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : 0;
}

int64_t proc_cpu_ns(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

bool proc_rss(pid_t pid, uint64_t *ret_bytes)
{
    char text[TEXT_SIZE];
    uint64_t pages;

    if (!read_process_text(pid, "statm", text) || sscanf(text, "%*u %" SCNu64, &pages) != 1)
        return false;
    *ret_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

bool proc_pss(pid_t pid, uint64_t *ret_bytes)
{
    char text[TEXT_SIZE];

    return read_process_text(pid, "smaps_rollup", text) && find_kilobytes(text, "Pss", ret_bytes);
}

/* The number behind "\nkey: ". */
static uint64_t find_number(const char *text, const char *key)
{
    const char *line = strstr(text, key);

    return line != NULL ? strtoull(line + strlen(key), NULL, 10) : 0;
}

bool proc_written(pid_t pid, struct proc_written *ret_written)
{
    char text[TEXT_SIZE];

    if (!read_process_text(pid, "io", text))
        return false;
    *ret_written = (struct proc_written){find_number(text, "\nwchar:"), find_number(text, "\nwrite_bytes:")};
    return true;
}

/* Appends the numbers that a space follows; returns how many bytes they took. One that is cut off by the end
   would be another process's, and the caller may be about to end it. */
static size_t append_pids(const char *text, struct buffer *pids)
{
    size_t used = 0;

    for (const char *space; (space = strchr(text + used, ' ')) != NULL; used = (size_t)(space - text) + 1) {
        pid_t pid = (pid_t)strtol(text + used, NULL, 10);

        buffer_append(pids, (struct bytes){&pid, sizeof(pid)});
    }
    return used;
}

static void append_children_of_thread(pid_t pid, const char *thread, struct buffer *pids)
{
    char text[TEXT_SIZE];
    size_t size = 0;
    ssize_t got;
    cleanup_free char *path = xasprintf("/proc/%d/task/%s/children", (int)pid, thread);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && (got = read(fd, text + size, TEXT_SIZE - 1 - size)) > 0) {
        size_t used;

        size += (size_t)got;
        text[size] = '\0';
        used = append_pids(text, pids);
        size -= used;
        memmove(text, text + used, size);
    }
}

void proc_children(pid_t pid, struct buffer *pids)
{
    char path[64];
    struct dirent *entry;
    DIR *threads;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    threads = opendir(path);
    if (threads == NULL)
        return;
    while ((entry = readdir(threads)) != NULL)
        if (entry->d_name[0] != '.')
            append_children_of_thread(pid, entry->d_name, pids);
    closedir(threads);
}

bool proc_host_ticks(uint64_t *ret_busy, uint64_t *ret_total)
{
    char text[TEXT_SIZE];
    uint64_t user, nice, system, idle, iowait, irq, softirq, steal;

    /* guest time is part of user and nice already */
    if (!read_text("/proc/stat", text) ||
        sscanf(text,
               "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64,
               &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal) != 8)
        return false;
    *ret_busy = user + nice + system + irq + softirq + steal;
    *ret_total = *ret_busy + idle + iowait;
    return true;
}

bool proc_host_is_crowded(void)
{
    char text[TEXT_SIZE];
    long running;

    /* Three averages, then "running/all". */
    return read_text("/proc/loadavg", text) && sscanf(text, "%*s %*s %*s %ld/", &running) == 1 &&
           running > sysconf(_SC_NPROCESSORS_ONLN);
}

bool proc_host_memory(struct proc_host_memory *ret_memory)
{
    struct proc_host_memory memory;
    char text[TEXT_SIZE];

    if (!read_text("/proc/meminfo", text) || !find_kilobytes(text, "MemTotal", &memory.total) ||
        !find_kilobytes(text, "MemAvailable", &memory.available) ||
        !find_kilobytes(text, "MemFree", &memory.free) ||
        !find_kilobytes(text, "Active", &memory.active) ||
        !find_kilobytes(text, "Inactive", &memory.inactive))
        return false;
    *ret_memory = memory;
    return true;
}
