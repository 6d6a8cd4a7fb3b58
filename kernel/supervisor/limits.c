#include "kernel/supervisor/limits.h"

#include "kernel/records/log.h"
#include "kernel/supervisor/process_tree.h"
#include "kernel/wire/json_text.h"

#include <sys/resource.h>

enum {
    FIRST_LOOK_MS = 100, /* most cells are over by then and cost nothing */
    LOOK_MS = 250,
    LOOKED_AT_MS = 30, /* for the guard to write down where it is … */
    LOOKED_AT_TIMES = 10, /* … on a machine where its turn does not come at once */
    WRITTEN_BESIDE = 64 * 1024, /* not by the cell; one file that is full, which the cell is told as an OSError, is no breach */
    SPARE_TASKS = 32,  /* frozen copies and what serves the guard: they count in a cgroup, but not in a look */
};

static const struct {
    const char *name;
    size_t offset; /* of a long in struct policy_limits */
    bool at_once;  /* no interrupt: every moment makes it worse */
} rows[] = {
    [LIMIT_TIMEOUT] = {"timeout_seconds", offsetof(struct policy_limits, timeout_seconds), false},
    [LIMIT_CPU] = {"cpu_seconds", offsetof(struct policy_limits, cpu_seconds), false},
    [LIMIT_MEMORY] = {"memory_limit_mb", offsetof(struct policy_limits, memory_limit_mb), true},
    [LIMIT_WRITES] = {"max_write_mb", offsetof(struct policy_limits, max_write_mb), false},
    [LIMIT_PROCESSES] = {"processes", offsetof(struct policy_limits, processes), true},
    [LIMIT_INTERRUPT] = {"grace_seconds", offsetof(struct policy_limits, grace_seconds), true},
};

const char *limits_name(enum limit limit)
{
    return rows[limit].name;
}

long limits_value(const struct limits *limits, enum limit limit)
{
    if (limit == LIMIT_TIMEOUT)
        return limits->timeout_seconds;
    return *(const long *)((const char *)&limits->values + rows[limit].offset);
}

/* ---- the ladder ----------------------------------------------------------------------------- */

static void look_and_kill(struct limits *limits)
{
    limits->stage = LIMIT_LOOKED_AT;
    limits->looked_at = 0;
    guard_process_note_line(limits->guard);
    loop_timer_start(&limits->clock, LOOKED_AT_MS);
}

static void breach(struct limits *limits, enum limit limit)
{
    limits->breached = limit;
    log_warning("the limit %s = %ld is exceeded", limits_name(limit), limits_value(limits, limit));
    if (rows[limit].at_once) {
        look_and_kill(limits);
        return;
    }
    limits->stage = LIMIT_INTERRUPTED;
    guard_process_note_line(limits->guard);
    guard_process_interrupt(limits->guard);
    loop_timer_start(&limits->clock, limits->values.grace_seconds * 1000);
}

void limits_end_deaf(struct limits *limits)
{
    if (limits->stage == LIMIT_WATCHED)
        breach(limits, LIMIT_INTERRUPT);
}

static void kill_when_noted(struct limits *limits)
{
    if (!guard_process_has_stack(limits->guard) && ++limits->looked_at < LOOKED_AT_TIMES) {
        loop_timer_start(&limits->clock, LOOKED_AT_MS);
        return;
    }
    limits->stage = LIMIT_KILLED;
    guard_process_kill(limits->guard);
}

static int on_clock(void *context)
{
    struct limits *limits = context;

    if (!limits->is_running)
        return 0;
    switch (limits->stage) {
    case LIMIT_WATCHED:
        breach(limits, LIMIT_TIMEOUT);
        break;
    case LIMIT_INTERRUPTED:
        look_and_kill(limits);
        break;
    case LIMIT_LOOKED_AT:
        kill_when_noted(limits);
        break;
    case LIMIT_KILLED:
        break;
    }
    return 0;
}

/* ---- the looks ------------------------------------------------------------------------------ */

/* What went to files is what was written, less what came here. */
static int64_t written_to_files(const struct limits *limits, uint64_t written_bytes)
{
    return (int64_t)written_bytes - (int64_t)guard_process_received(limits->guard);
}

static enum limit find_breach(const struct limits *limits)
{
    const struct policy_limits *values = &limits->values;
    int64_t ticks = sysconf(_SC_CLK_TCK);
    struct process_tree tree;
    int64_t written;

    process_tree_measure(limits->guard->spared, values->memory_limit_mb != 0, &tree);
    written = written_to_files(limits, tree.written_bytes) - limits->written_before;
    if (written < (int64_t)(tree.stored_bytes - limits->stored_before)) /* by other ways than write() */
        written = (int64_t)(tree.stored_bytes - limits->stored_before);
    if (values->processes != 0 && tree.tasks > values->processes)
        return LIMIT_PROCESSES;
    if (values->memory_limit_mb != 0 &&
        tree.memory_bytes >> 20 > (uint64_t)values->memory_limit_mb)
        return LIMIT_MEMORY;
    if (values->cpu_seconds != 0 &&
        (int64_t)(tree.cpu_ticks - limits->ticks_before) / ticks >= values->cpu_seconds)
        return LIMIT_CPU;
    if (values->max_write_mb != 0 && written > ((int64_t)values->max_write_mb << 20) + WRITTEN_BESIDE)
        return LIMIT_WRITES;
    return LIMIT_NONE;
}

static bool wants_looks(const struct policy_limits *values)
{
    return values->processes != 0 || values->memory_limit_mb != 0 || values->cpu_seconds != 0 ||
           values->max_write_mb != 0;
}

static int on_watch(void *context)
{
    struct limits *limits = context;
    enum limit found;

    if (!limits->is_running || limits->stage >= LIMIT_LOOKED_AT)
        return 0;
    found = find_breach(limits);
    /* In the time of grace only what gets worse at every moment counts. */
    if (found != LIMIT_NONE && (limits->stage == LIMIT_WATCHED || rows[found].at_once))
        breach(limits, found);
    loop_timer_start(&limits->watch, LOOK_MS);
    return 0;
}

/* ---- what the system enforces --------------------------------------------------------------- */

static void set(pid_t pid, int resource, uint64_t value)
{
    struct rlimit new_limit = {value, value};
    struct rlimit old;

    if (prlimit(pid, resource, NULL, &old) == 0 && old.rlim_max != RLIM_INFINITY &&
        old.rlim_max < value)
        return; /* the system is stricter */
    if (prlimit(pid, resource, &new_limit, NULL) < 0)
        log_error("cannot set a resource limit of the guard: %s", strerror(errno));
}

/* All processes and threads of the machine: the user has no more, and to count his would take long. */
static uint64_t tasks_of_machine(void)
{
    cleanup_file FILE *file = fopen("/proc/loadavg", "re");
    unsigned long tasks = 0;

    if (file != NULL && fscanf(file, "%*f %*f %*f %*u/%lu", &tasks) != 1)
        tasks = 0;
    return tasks;
}

void limits_read(struct bytes info, struct policy_limits *ret_values)
{
    struct bytes limits;
    struct bytes value;

    *ret_values = (struct policy_limits){0};
    if (!json_text_member(info, "limits", &limits) || !json_text_is_object(limits, JSON_TEXT_STRICT))
        return;
#define POLICY_LIMIT(field, most, usual, strict)                                                   \
    if (!json_text_member(limits, #field, &value) ||                                               \
        !json_text_integer(value, &ret_values->field) || ret_values->field < 0 ||                  \
        ret_values->field > most)                                                                  \
        ret_values->field = 0;
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
}

static void make_group(struct limits *limits, const struct policy_limits *values)
{
    long tasks = values->processes != 0 ? values->processes + SPARE_TASKS : 0;
    const char *reason = NULL;
    cleanup_free char *parent = NULL;
    int result;

    control_group_remove(&limits->group);
    if (values->memory_limit_mb == 0 && tasks == 0)
        return;
    parent = control_group_find_own(&reason);
    if (parent == NULL) {
        log_info("limits are kept without a cgroup: %s", reason);
        return;
    }
    result = control_group_make(&limits->group, parent, limits->guard->pid, (uint64_t)values->memory_limit_mb << 20, tasks);
    if (result < 0)
        log_warning("limits are kept without a cgroup: none can be made in %s: %s", parent, strerror(-result));
    else
        log_info("limits are kept by the cgroup %s as well", limits->group.folder);
}

void limits_set(struct limits *limits, const struct policy_limits *values)
{
    pid_t pid = limits->guard->pid;

    limits->values = *values;
    make_group(limits, values);
    /* Not the address space: libraries reserve far more of it than they use. */
    if (values->memory_limit_mb != 0)
        set(pid, RLIMIT_DATA, (uint64_t)values->memory_limit_mb << 20);
    if (values->max_write_mb != 0)
        set(pid, RLIMIT_FSIZE, (uint64_t)values->max_write_mb << 20);
    if (values->open_files != 0)
        set(pid, RLIMIT_NOFILE, (uint64_t)values->open_files);
    if (values->processes != 0)
        set(pid, RLIMIT_NPROC, tasks_of_machine() + (uint64_t)values->processes);
}

/* ---- around a request ----------------------------------------------------------------------- */

static void note_what_was_used(struct limits *limits)
{
    struct process_tree tree;

    if (limits->values.cpu_seconds == 0 && limits->values.max_write_mb == 0)
        return;
    process_tree_measure(limits->guard->spared, false, &tree);
    limits->ticks_before = tree.cpu_ticks;
    limits->written_before = written_to_files(limits, tree.written_bytes);
    limits->stored_before = tree.stored_bytes;
}

long limits_shorter(long a, long b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

void limits_begin_look(struct limits *limits)
{
    if (!limits->is_running)
        note_what_was_used(limits);
}

enum limit limits_look(const struct limits *limits)
{
    return limits->is_running || !wants_looks(&limits->values) ? LIMIT_NONE : find_breach(limits);
}

void limits_begin(struct limits *limits, long deadline_seconds)
{
    limits->is_running = true;
    control_group_has_killed(&limits->group); /* of an earlier cell's processes one */
    limits->breached = LIMIT_NONE;
    limits->stage = LIMIT_WATCHED;
    limits->left_ms = 0; /* of a request that ended in a pause */
    note_what_was_used(limits);
    limits->timeout_seconds = limits_shorter(limits->values.timeout_seconds, deadline_seconds);
    if (limits->timeout_seconds != 0)
        loop_timer_start(&limits->clock, limits->timeout_seconds * 1000);
    if (wants_looks(&limits->values))
        loop_timer_start(&limits->watch, FIRST_LOOK_MS);
}

void limits_end(struct limits *limits)
{
    limits->is_running = false;
    loop_timer_stop(&limits->clock);
    loop_timer_stop(&limits->watch);
}

void limits_pause(struct limits *limits)
{
    if (limits->stage != LIMIT_WATCHED || limits->clock.due_ms == 0)
        return;
    limits->left_ms = limits->clock.due_ms - loop_now_ms();
    if (limits->left_ms < 1)
        limits->left_ms = 1; /* due in this very round: the clock must not be lost with it */
    loop_timer_stop(&limits->clock);
}

void limits_resume(struct limits *limits)
{
    if (limits->stage == LIMIT_WATCHED && limits->is_running && limits->left_ms > 0)
        loop_timer_start(&limits->clock, limits->left_ms);
    limits->left_ms = 0;
}

void limits_heed_death(struct limits *limits)
{
    if (!limits->is_running || limits->breached != LIMIT_NONE || !control_group_has_killed(&limits->group))
        return;
    limits->breached = LIMIT_MEMORY;
    limits->stage = LIMIT_KILLED;
}

void limits_finish(struct limits *limits)
{
    control_group_remove(&limits->group);
}

void limits_init(struct limits *limits, struct loop *loop, struct guard_process *guard)
{
    *limits = (struct limits){.guard = guard};
    limits->clock = (struct loop_timer){.callback = on_clock, .context = limits};
    limits->watch = (struct loop_timer){.callback = on_watch, .context = limits};
    loop_add_timer(loop, &limits->clock);
    loop_add_timer(loop, &limits->watch);
}
