#include "guard/tools/pool.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum {
    BEGIN_MS = 120 * 1000, /* for the set-up files */
    START_MS = 20,         /* who has just answered is about to be free */
    GRACE_MS = 2000,       /* from the interrupt to SIGKILL */
    WORDS_BYTES = 256,
    NAME_BYTES = 200,
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pool_init(struct pool *pool, int records, long cpu_seconds)
{
    *pool = (struct pool){.records = records, .cpu_seconds = cpu_seconds, .names = BUFFER_NONE};
    for (size_t i = 0; i < POOL_PROCESSES_MAX; i++)
        pool->processes[i].control = -1;
}

struct tool_process *pool_find(struct pool *pool, pid_t pid)
{
    for (size_t i = 0; i < POOL_PROCESSES_MAX; i++)
        if (pid != 0 && pool->processes[i].pid == pid)
            return &pool->processes[i];
    return NULL;
}

/* ---- telling --------------------------------------------------------------------------------- */

/* Line `number` of the names; fit for JSON, cut. */
static void name_of(const struct pool *pool, uint32_t number, char ret_name[NAME_BYTES])
{
    const char *at = pool->names.data;
    const char *end = at + pool->names.size;
    size_t used = 0;

    for (; at != NULL && at < end && number > 0; at++)
        number -= *at == '\n';
    for (; at != NULL && at < end && *at != '\n' && used + 1 < NAME_BYTES; at++)
        ret_name[used++] = *at == '"' || *at == '\\' || (unsigned char)*at < 0x20 ? '?' : *at;
    ret_name[used] = '\0';
}

static void record(const struct pool *pool, const struct tool_call *call, const char *outcome)
{
    char name[NAME_BYTES];
    char line[NAME_BYTES + WORDS_BYTES + 100];

    name_of(pool, call->message->tool, name);
    snprintf(line, sizeof(line), "{\"tool\":\"%s\",\"call\":%u,\"outcome\":\"%s\"}", name,
             call->number, outcome);
    if (pool->records >= 0)
        send(pool->records, line, strlen(line), MSG_NOSIGNAL);
}

static void tell(const struct tool_message *message, enum tool_end reason, const char *words)
{
    struct tool_message ended = {
        .type = TOOL_ENDED, .tool = reason, .call = message->call, .memory = -1};

    tool_message_send(message->fds[0], &ended, bytes_of_string(words), MSG_DONTWAIT);
}

static void tell_end(struct pool *pool, struct tool_call *call, enum tool_end reason,
                     const char *words)
{
    if (!call->is_told) {
        tell(call->message, reason, words);
        record(pool, call, words);
    }
    call->is_told = true;
}

static void free_message(struct tool_message *message)
{
    tool_message_finish(message);
    free(message);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool is_connection(int fd)
{
    int domain = 0;
    int type = 0;
    socklen_t size = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

void pool_add(struct pool *pool, struct tool_message *message)
{
    struct tool_call **end = &pool->first;
    struct tool_call *call;

    if (!is_connection(message->fds[0]) || pool->call_count >= POOL_CALLS_MAX) {
        tell(message, TOOL_END_BUSY, "too many calls of tools wait already");
        free_message(message);
        return;
    }
    call = xcalloc(1, sizeof(*call));
    call->message = message;
    call->due_ms = now_ms() + START_MS;
    call->number = message->call = ++pool->last_number;
    while (*end != NULL)
        end = &(*end)->next;
    *end = call;
    pool->call_count++;
}

static void drop(struct pool *pool, struct tool_call *call)
{
    struct tool_call **at = &pool->first;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    pool->call_count--;
    if (call->process != NULL)
        call->process->call = NULL;
    free_message(call->message);
    free(call);
}

static void interrupt(struct tool_call *call)
{
    call->is_ending = true;
    call->due_ms = now_ms() + GRACE_MS;
    kill(call->process->pid, SIGINT);
}

void pool_cancel(struct pool *pool, struct tool_call *call)
{
    if (call->process == NULL) {
        drop(pool, call);
        return;
    }
    call->is_told = true;
    if (!call->is_ending)
        interrupt(call);
}

/* ---- processes ------------------------------------------------------------------------------- */

static void give(struct tool_process *process, struct tool_call *call)
{
    struct tool_message run = *call->message;

    run.type = TOOL_RUN;
    call->process = process;
    call->due_ms = now_ms() + BEGIN_MS;
    process->call = call;
    /* What fails here is a process that is dying: its end is told like any other. */
    tool_message_send(process->control, &run, BYTES_NONE, MSG_DONTWAIT);
}

static struct tool_process *find_free(struct pool *pool, bool is_running)
{
    for (size_t i = 0; i < POOL_PROCESSES_MAX; i++)
        if ((pool->processes[i].pid != 0) == is_running && pool->processes[i].call == NULL &&
            (!is_running || pool->processes[i].control >= 0))
            return &pool->processes[i];
    return NULL;
}

static bool may_start(const struct pool *pool, const struct tool_call *call)
{
    for (size_t i = 0; i < POOL_PROCESSES_MAX; i++)
        if (pool->processes[i].pid != 0)
            return now_ms() >= call->due_ms;
    return true;
}

void pool_assign(struct pool *pool, pool_start_process start, void *context)
{
    for (struct tool_call *call = pool->first; call != NULL; call = call->next) {
        struct tool_process *process;

        if (call->process != NULL)
            continue;
        process = find_free(pool, true);
        if (process == NULL) {
            process = may_start(pool, call) ? find_free(pool, false) : NULL;
            if (process == NULL || start(context, process) < 0)
                return;
        }
        give(process, call);
    }
}

void pool_hear(struct pool *pool, struct tool_process *process)
{
    struct tool_message message;
    struct tool_call *call = process->call;
    int result = tool_message_receive(process->control, TOOL_TO_STARTER, MSG_DONTWAIT, &message);

    if (result == 0 && call != NULL && message.type == TOOL_BEGUN && !call->is_ending) {
        call->has_begun = true;
        call->due_ms = message.tool != 0 ? now_ms() + (int64_t)message.tool * 1000 : 0;
    } else if (result == 0 && call != NULL && message.type == TOOL_DONE) {
        drop(pool, call);
    } else if (result != 0 && result != TOOL_E_AGAIN && result != -EINTR) {
        kill(process->pid, SIGKILL); /* SIGCHLD tells the rest */
        close(steal_fd(&process->control));
    }
    if (result == 0)
        tool_message_finish(&message);
}

static void describe(const struct pool *pool, int status, char words[WORDS_BYTES])
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    if (number == SIGXCPU)
        snprintf(words, WORDS_BYTES,
                 "used more CPU time than limits.tool_cpu_seconds = %ld permits",
                 pool->cpu_seconds);
    else if (number != 0 && sigabbrev_np(number) != NULL)
        snprintf(words, WORDS_BYTES, "was killed by SIG%s (%s)", sigabbrev_np(number),
                 sigdescr_np(number));
    else if (number != 0)
        snprintf(words, WORDS_BYTES, "was killed by signal %d", number);
    else
        snprintf(words, WORDS_BYTES, "ended with exit status %d", WEXITSTATUS(status));
}

void pool_take_end(struct pool *pool, pid_t pid, int status)
{
    struct tool_process *process = pool_find(pool, pid);
    char words[WORDS_BYTES];

    if (process == NULL)
        return;
    if (process->call != NULL) {
        describe(pool, status, words);
        if (process->call->is_told)
            record(pool, process->call, "interrupted, and killed since it did not end");
        tell_end(pool, process->call, TOOL_END_DIED, words);
        drop(pool, process->call);
    }
    if (process->control >= 0)
        close(process->control);
    *process = (struct tool_process){.control = -1};
}

/* ---- time ------------------------------------------------------------------------------------ */

static void be_late(struct pool *pool, struct tool_call *call)
{
    if (call->is_ending) {
        kill(-call->process->pid, SIGKILL);
        kill(call->process->pid, SIGKILL);
        call->due_ms = 0; /* its end tells */
        return;
    }
    tell_end(pool, call, TOOL_END_LATE,
             call->has_begun ? "exceeded its time limit" : "took too long to run the set-up files");
    interrupt(call);
}

int pool_tick(struct pool *pool)
{
    int64_t now = now_ms();
    int64_t next = -1;

    for (struct tool_call *call = pool->first; call != NULL; call = call->next) {
        int64_t left;

        if (call->process != NULL && call->due_ms != 0 && call->due_ms <= now)
            be_late(pool, call);
        left = call->due_ms - now;
        if (call->due_ms == 0 || (call->process == NULL && left <= 0))
            continue;
        if (next < 0 || left < next)
            next = left;
    }
    return next > INT32_MAX ? INT32_MAX : (int)next;
}
