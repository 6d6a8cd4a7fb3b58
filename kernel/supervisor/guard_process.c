#include "kernel/supervisor/guard_process.h"

#include "guard/link/descriptors.h"
#include "kernel/config/session_policy.h"
#include "kernel/records/log.h"
#include "kernel/supervisor/last_words.h"
#include "kernel/supervisor/process_tree.h"
#include "kernel/supervisor/spawn.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    READ_BITE = 16, /* reads from the link before the sockets have their turn */
    UNREAD_BYTES_MAX = 64 * 1024 * 1024, /* more than an errand's answer, which it may take a while to read */
};

/* Whether it is over, its status taken, unless the guard whose copy it was was quicker; a pidfd has told, or SIGKILL is on
   its way. */
static bool is_over(struct guard_process *guard, int flags)
{
    if (guard->keeper.fd < 0)
        return waitpid(guard->pid, &guard->wait_status, flags) != 0;
    guard->wait_status = keeper_wait_status(&guard->keeper);
    return true;
}

/* ---- frames ------------------------------------------------------------------------------------ */

static void set_failure(struct guard_process *guard, const char *reason)
{
    if (guard->failure == NULL)
        guard->failure = xstrdup(reason);
}

/* Nothing more is read from it; the pidfd tells of the end. */
static void close_link(struct guard_process *guard)
{
    guard->link_is_over = true;
    guard->link_source.paused = true;
}

void guard_process_condemn(struct guard_process *guard, const char *reason)
{
    log_error("guard %d: %s", (int)guard->pid, reason);
    set_failure(guard, reason);
    if (guard->pid != 0)
        kill(-guard->pid, SIGKILL);
    close_link(guard);
}

/* READY or FAILED: the only two that may come first, and they come once. */
static int take_start_frame(struct guard_process *guard, const struct frame *frame)
{
    if (guard->state != GUARD_STARTING) {
        guard_process_condemn(guard, "it broke the protocol: a second start");
        return 0;
    }
    if (frame->type == FRAME_FAILED) {
        cleanup_free char *reason = xstrndup(frame->parts[0].data, frame->parts[0].size);

        set_failure(guard, reason);
        if (!guard->is_forked) /* else cells wait: there is another way to start one */
            guard->state = GUARD_FAILED;
        return 0; /* it ends by itself; `ended` tells */
    }
    guard->state = GUARD_READY;
    return guard->handlers.ready(guard->handlers.context, frame);
}

static int take_frame(struct guard_process *guard, const struct frame *frame)
{
    enum frame_permitted permitted = frame_rule(frame->type)->permitted;

    if (permitted == FRAME_START)
        return take_start_frame(guard, frame);
    if (guard->state != GUARD_READY && frame->type != FRAME_LOG && frame->type != FRAME_DENIAL) {
        guard_process_condemn(guard, "it broke the protocol: output before READY");
        return 0;
    }
    return guard->handlers.frame(guard->handlers.context, frame);
}

/* Handles what has been received. Returns 0; LINK_E_AGAIN; -errno. */
static int take_received(struct guard_process *guard)
{
    struct frame frame;
    int result = 0;

    while (result == 0 && !guard->link_source.paused) {
        result = frame_reader_next(&guard->reader, &frame);
        if (result == LINK_E_INVALID) {
            guard_process_condemn(guard, "it broke the protocol: not a frame");
            return 0;
        }
        if (result == 0)
            result = take_frame(guard, &frame);
    }
    return result;
}

static void write_pending(struct guard_process *guard)
{
    int result = frame_writer_flush(&guard->writer, guard->link);

    /* A guard that is gone takes nothing; its pidfd tells. */
    guard->link_source.events =
        (short)(POLLIN | (result == LINK_E_AGAIN ? POLLOUT : 0));
}

static int on_link(void *context)
{
    struct guard_process *guard = context;
    int result = take_received(guard); /* left over from before a pause */

    write_pending(guard);
    for (int i = 0; result >= 0 && i < READ_BITE && !guard->link_source.paused; i++) {
        result = frame_reader_fill(&guard->reader, guard->link);
        if (result == LINK_E_CLOSED)
            close_link(guard);
        if (result != 0)
            break;
        result = take_received(guard);
    }
    return result < 0 && result != -EINTR ? result : 0;
}

static int on_output(void *context, int index, struct bytes bytes)
{
    struct guard_process *guard = context;

    guard->output_bytes += bytes.size;
    if (guard->state == GUARD_STARTING && index == 1)
        last_words_keep(&guard->last_words, bytes);
    return guard->handlers.output(guard->handlers.context, index == 0 ? FRAME_STDOUT : FRAME_STDERR, bytes);
}

void guard_process_init(struct guard_process *guard, struct loop *loop,
                        const struct guard_handlers *handlers)
{
    *guard = (struct guard_process){.loop = loop,
                                    .handlers = *handlers,
                                    .state = GUARD_DEAD,
                                    .pidfd = -1,
                                    .link = -1,
                                    .copies_socket = -1,
                                    .aside_socket = -1,
                                    .keeper = KEEPER_NONE,
                                    .asked = SPAWNED_NONE,
                                    .last_line = memfd_create(LAST_LINE_NAME, MFD_CLOEXEC)};
    output_pipes_init(&guard->outputs, loop, on_output, guard);
    tool_records_init(&guard->records, loop, handlers->tool_record, handlers->context);
    frame_reader_init(&guard->reader, FRAME_TO_KERNEL);
    frame_writer_init(&guard->writer);
}

int guard_process_drain_outputs(struct guard_process *guard)
{
    return output_pipes_drain(&guard->outputs);
}

static void close_process(struct guard_process *guard)
{
    loop_remove(guard->loop, &guard->link_source);
    loop_remove(guard->loop, &guard->pid_source);
    if (guard->link >= 0)
        close(steal_fd(&guard->link));
    if (guard->pidfd >= 0)
        close(steal_fd(&guard->pidfd));
}

/* What a copy that takes over would go on using. */
static void close_outputs(struct guard_process *guard)
{
    output_pipes_close(&guard->outputs);
    tool_records_close(&guard->records);
    if (guard->copies_socket >= 0)
        close(steal_fd(&guard->copies_socket));
    if (guard->aside_socket >= 0)
        close(steal_fd(&guard->aside_socket));
    keeper_close(&guard->keeper);
}

char *guard_process_describe_end(const struct guard_process *guard)
{
    int status = guard->wait_status;

    if (WIFSIGNALED(status))
        return xasprintf("was killed by SIG%s (%s)", sigabbrev_np(WTERMSIG(status)),
                         sigdescr_np(WTERMSIG(status)));
    return xasprintf("ended with exit status %d", WEXITSTATUS(status));
}

/*
 * What it sent before its end, and no more: a copy of it lives on and may hold the other end, too. One that went on
 * writing there would keep us here for ever. Returns 0 or -errno.
 */
static int take_rest(struct guard_process *guard)
{
    pid_t pid = guard->pid;
    int waiting = 0;
    uint64_t end;
    int result;

    guard->ending = true;
    guard->link_source.paused = false;
    ioctl(guard->link, FIONREAD, &waiting);
    end = guard->reader.total_bytes + (uint64_t)waiting;
    do
        result = take_received(guard);
    while (result >= 0 && guard->pid == pid && guard->reader.total_bytes < end &&
           frame_reader_fill(&guard->reader, guard->link) == 0);
    return result < 0 ? result : 0;
}

/* A Python before 3.11 does not know -P, says how it is called and ends with 2. */
static bool did_not_know_its_options(const struct guard_process *guard)
{
    return WIFEXITED(guard->wait_status) && WEXITSTATUS(guard->wait_status) == 2;
}

static void note_failed_start(struct guard_process *guard)
{
    cleanup_free char *end = guard_process_describe_end(guard);
    cleanup_free char *words = last_words_line(&guard->last_words);
    cleanup_free char *reason = xasprintf(
        "the guard process %s before it was ready%s%s%s", end, words != NULL ? "; it said: " : "",
        words != NULL ? words : "", did_not_know_its_options(guard) ? " Is its Python 3.11 or newer?" : "");

    set_failure(guard, reason);
    guard->state = GUARD_FAILED;
}

/* It is over: what it wrote before is handled first, then `ended`. */
static int on_end(void *context)
{
    struct guard_process *guard = context;
    pid_t pid = guard->pid;
    int result = 0;

    if (!is_over(guard, WNOHANG))
        return 0;
    if (guard->note_spared != NULL)
        guard->note_spared(guard->note_context);
    kill(-guard->pid, SIGKILL); /* what it left in its group, and what has left that */
    process_tree_kill(guard->spared);
    if (guard->failure == NULL || guard->state == GUARD_FAILED)
        result = take_rest(guard);
    if (guard->pid != pid)
        return result; /* its last word ended a trial, or a %rewind was next: a copy has taken over */
    if (result == 0)
        result = output_pipes_drain(&guard->outputs);
    close_process(guard);
    log_info("guard %d %s", (int)guard->pid, WIFSIGNALED(guard->wait_status) ? "was killed" : "ended");
    guard->pid = 0;
    if (guard->state == GUARD_STARTING)
        note_failed_start(guard);
    if (guard->state == GUARD_READY)
        guard->state = GUARD_DEAD;
    return result < 0 ? result : guard->handlers.ended(guard->handlers.context);
}

static struct loop_source source_of(int fd, loop_callback callback, struct guard_process *guard)
{
    return (struct loop_source){
        .fd = fd, .events = POLLIN, .callback = callback, .context = guard};
}

/* A process and its link, with nothing received or sent yet. */
static void listen_to(struct guard_process *guard, pid_t pid, int pidfd, int link)
{
    frame_reader_finish(&guard->reader);
    frame_writer_finish(&guard->writer);
    frame_reader_init(&guard->reader, FRAME_TO_KERNEL);
    guard->pid = pid;
    guard->link = link;
    guard->pidfd = pidfd;
    keeper_watch(&guard->keeper, pid);
    guard->listener = 0;
    guard->thaws = false;
    guard->link_source = source_of(link, on_link, guard);
    guard->pid_source = source_of(guard->pidfd, on_end, guard);
    loop_add(guard->loop, &guard->link_source);
    loop_add(guard->loop, &guard->pid_source);
    guard->paused = false;
    guard->link_is_over = false;
    guard->ending = false;
    guard->output_bytes = 0;
}

/* When the machine runs out of memory, a cell is to blame: not the kernel process, not the browser. */
static void prefer_for_oom(pid_t pid)
{
    cleanup_free char *path = xasprintf("/proc/%d/oom_score_adj", (int)pid);
    cleanup_file FILE *file = fopen(path, "we");

    if (file != NULL)
        fputs("300", file);
}

bool guard_process_ask(struct guard_process *guard, const char *template, const char *private_directory)
{
    spawn_ask(template, private_directory, guard->last_line, &guard->asked);
    return guard->asked.keeper >= 0;
}

void guard_process_start(struct guard_process *guard, const struct guard_settings *settings)
{
    struct spawned spawned;
    char *error = NULL;

    free(steal(guard->failure));
    buffer_clear(&guard->last_words, 0);
    close_outputs(guard);
    if (spawn_guard(settings->python, settings->private_directory, &guard->asked, guard->last_line,
                    &spawned, &error) != 0) {
        guard->failure = error;
        guard->state = GUARD_FAILED;
        return;
    }
    guard->state = GUARD_STARTING;
    guard->copies_socket = spawned.copies_socket;
    guard->aside_socket = spawned.aside_socket;
    guard->is_forked = spawned.keeper >= 0;
    keeper_open(&guard->keeper, guard->loop, spawned.keeper, spawned.keeper_pid);
    /* Before the link: a record belongs to the request that is still under way. */
    tool_records_open(&guard->records, spawned.tool_records);
    listen_to(guard, spawned.pid, spawned.pidfd, spawned.link);
    output_pipes_open(&guard->outputs, spawned.outputs);
    prefer_for_oom(spawned.pid);
    session_policy_push(&guard->writer, settings->shell, settings->policy, settings->policy_files);
    write_pending(guard);
    log_info("guard %d started%s", (int)guard->pid, guard->is_forked ? " from a template" : "");
}

void guard_process_adopt(struct guard_process *guard, pid_t pid, int pidfd, int link)
{
    if (guard->pid != 0) {
        kill(-guard->pid, SIGKILL);
        is_over(guard, 0);
        close_process(guard);
    }
    free(steal(guard->failure));
    listen_to(guard, pid, pidfd, link);
    output_pipes_set_paused(&guard->outputs, false);
    guard->state = GUARD_READY;
    /* A cell may send signals to its own processes, and the copies are among them. */
    syscall(SYS_pidfd_send_signal, guard->pidfd, SIGCONT, NULL, 0);
    guard->thaws = true;
    guard_process_send(guard, &(struct frame){FRAME_THAW, 0, 0, NULL});
}

void guard_process_send(struct guard_process *guard, const struct frame *frame)
{
    if (guard->pid == 0)
        return;
    frame_writer_push(&guard->writer, frame);
    write_pending(guard);
}

void guard_process_answer(struct guard_process *guard, const struct frame *frame)
{
    if (guard->pid != 0 && frame_writer_pending(&guard->writer) > UNREAD_BYTES_MAX)
        guard_process_condemn(guard, "it broke the protocol: it does not read what it has asked for");
    else
        guard_process_send(guard, frame);
}

void guard_process_kill(struct guard_process *guard)
{
    if (guard->pid != 0)
        kill(-guard->pid, SIGKILL);
}

void guard_process_set_paused(struct guard_process *guard, bool paused)
{
    if (guard->paused == paused || guard->pid == 0 || guard->ending)
        return;
    guard->paused = paused;
    guard->link_source.paused = paused || guard->link_is_over;
    guard->link_source.again = true; /* frames that were received before the pause */
    output_pipes_set_paused(&guard->outputs, paused);
}

void guard_process_stop(struct guard_process *guard, int limit_ms)
{
    struct pollfd end = {guard->pidfd, POLLIN, 0};

    if (guard->pid != 0) {
        frame_writer_push(&guard->writer, &(struct frame){FRAME_SHUTDOWN, 0, 0, NULL});
        frame_writer_flush(&guard->writer, guard->link);
        if (poll(&end, 1, limit_ms) <= 0)
            log_info("guard %d did not end by itself", (int)guard->pid);
        kill(-guard->pid, SIGKILL);
        is_over(guard, 0);
        guard->pid = 0;
    }
    process_tree_kill((struct process_set){NULL, 0});
    close_process(guard);
    close_outputs(guard);
    guard->state = GUARD_DEAD;
}

void guard_process_finish(struct guard_process *guard)
{
    spawned_close(&guard->asked);
    frame_reader_finish(&guard->reader);
    frame_writer_finish(&guard->writer);
    buffer_finish(&guard->last_words);
    free(steal(guard->failure));
    if (guard->last_line >= 0)
        close(steal_fd(&guard->last_line));
}
