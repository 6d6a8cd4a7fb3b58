#include "kernel/supervisor/usage.h"

#include "kernel/supervisor/proc.h"

#include <time.h>

enum { LARGE_BYTES = 256 * 1024 * 1024 };

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now); /* the clock of the start times in /proc */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static double one_decimal(double number)
{
    return (double)(int64_t)(number * 10 + 0.5) / 10; /* never negative */
}

static bool has_pid(const pid_t *pids, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Those given and all below them, each once: the guard may be a child of the kernel process. */
static size_t find_processes(const pid_t *given, size_t given_count,
                             pid_t found[static USAGE_PROCESSES_MAX])
{
    cleanup_buffer struct buffer children = BUFFER_NONE;
    size_t count = 0;

    buffer_append(&children, (struct bytes){given, given_count * sizeof(*given)});
    for (size_t next = 0; next * sizeof(pid_t) < children.size; next++) {
        pid_t pid;

        memcpy(&pid, children.data + next * sizeof(pid), sizeof(pid));
        if (count == USAGE_PROCESSES_MAX || has_pid(found, count, pid))
            continue;
        found[count++] = pid;
        proc_children(pid, &children);
    }
    return count;
}

/* CPU time of the process that the last sample knows. */
static uint64_t earlier_ticks(const struct usage *usage, const struct usage_process *process)
{
    for (size_t i = 0; i < usage->process_count; i++)
        if (usage->processes[i].pid == process->pid &&
            usage->processes[i].started_ticks == process->started_ticks)
            return usage->processes[i].cpu_ticks;
    return 0; /* started since then, so all of it is new */
}

/* Per cent of one CPU since the last sample, or since the process started. */
static double process_cpu(const struct usage *usage, const struct usage_process *process,
                          uint64_t sample_ms)
{
    uint64_t ticks_per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    uint64_t earlier = earlier_ticks(usage, process);
    uint64_t since_ms = usage->sampled_ms;

    if (since_ms == 0)
        since_ms = process->started_ticks * 1000 / ticks_per_second;
    if (sample_ms <= since_ms || process->cpu_ticks < earlier)
        return 0;
    return (double)(process->cpu_ticks - earlier) * 1000 / (double)ticks_per_second * 100 /
           (double)(sample_ms - since_ms);
}

static void sample_processes(struct usage *usage, const pid_t *pids, size_t count,
                             uint64_t sample_ms)
{
    struct usage_process *processes = xcalloc(count + 1, sizeof(*processes));
    struct proc_times times;
    size_t alive = 0;

    usage->kernel_cpu = 0;
    for (size_t i = 0; i < count; i++) {
        if (!proc_times(pids[i], &times))
            continue;
        processes[alive] = (struct usage_process){pids[i], times.started_ticks, times.cpu_ticks};
        usage->kernel_cpu += process_cpu(usage, &processes[alive], sample_ms);
        alive++;
    }
    free(usage->processes);
    usage->processes = processes;
    usage->process_count = alive;
}

static void sample_host(struct usage *usage)
{
    uint64_t busy, total;

    if (!proc_host_ticks(&busy, &total) || total <= usage->host_total_ticks)
        return;
    usage->host_cpu_percent = busy < usage->host_busy_ticks
                                  ? 0
                                  : (double)(busy - usage->host_busy_ticks) * 100 /
                                        (double)(total - usage->host_total_ticks);
    usage->host_busy_ticks = busy;
    usage->host_total_ticks = total;
}

/*
 * PSS makes the system walk all pages of a process, and the loop waits. One large process among small ones
 * shares next to nothing with them, so its RSS says the same for free; two that are alike are forks (frozen
 * copies, for one), whose RSS would count the same data over and over.
 */
static uint64_t sum_memory(const pid_t *pids, size_t count)
{
    uint64_t sum = 0, largest = 0, second = 0, rss, pss;
    bool alone;

    for (size_t i = 0; i < count; i++) {
        if (!proc_rss(pids[i], &rss))
            continue;
        second = rss > largest ? largest : rss > second ? rss : second;
        largest = rss > largest ? rss : largest;
    }
    alone = largest > LARGE_BYTES && second < largest / 2;
    for (size_t i = 0; i < count; i++) {
        if (!proc_rss(pids[i], &rss))
            continue;
        if ((alone && rss > LARGE_BYTES) || !proc_pss(pids[i], &pss))
            pss = rss;
        sum += pss;
    }
    return sum;
}

static void add_host_memory(json_t *figures)
{
    struct proc_host_memory memory;
    uint64_t used;

    if (!proc_host_memory(&memory) || memory.total == 0)
        return;
    if (memory.available > memory.total)
        memory.available = memory.free; /* seen in containers that fake their meminfo */
    used = memory.total - memory.available;
    json_object_set_new(figures, "host_virtual_memory",
                        json_pack("{sI sI sI sI sf sI sI}", "active", (json_int_t)memory.active,
                                  "available", (json_int_t)memory.available, "free",
                                  (json_int_t)memory.free, "inactive", (json_int_t)memory.inactive,
                                  "percent", one_decimal((double)used * 100 / (double)memory.total),
                                  "total", (json_int_t)memory.total, "used", (json_int_t)used));
}

void usage_finish(struct usage *usage)
{
    free(usage->processes);
    *usage = USAGE_NONE;
}

json_t *usage_to_json(struct usage *usage, const pid_t *pids, size_t count)
{
    pid_t found[USAGE_PROCESSES_MAX];
    size_t found_count = find_processes(pids, count, found);
    uint64_t sample_ms = now_ms();
    char hostname[256] = "";
    json_t *figures;

    if (usage->sampled_ms == 0 || sample_ms >= usage->sampled_ms + USAGE_INTERVAL_MIN_MS) {
        sample_processes(usage, found, found_count, sample_ms);
        sample_host(usage);
        usage->sampled_ms = sample_ms;
    }
    gethostname(hostname, sizeof(hostname) - 1);
    for (char *c = hostname; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?'; /* JSON wants UTF-8, a host name promises nothing */
    figures = json_pack("{ss sI sf sI sI}", "hostname", hostname, "pid",
                        count > 0 ? (json_int_t)pids[0] : (json_int_t)0, "kernel_cpu",
                        one_decimal(usage->kernel_cpu), "kernel_memory",
                        (json_int_t)sum_memory(found, found_count), "cpu_count",
                        (json_int_t)sysconf(_SC_NPROCESSORS_ONLN));
    if (usage->host_total_ticks > 0)
        json_object_set_new(figures, "host_cpu_percent",
                            json_real(one_decimal(usage->host_cpu_percent)));
    add_host_memory(figures);
    return figures;
}
