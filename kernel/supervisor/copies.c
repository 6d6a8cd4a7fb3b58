#include "kernel/supervisor/copies.h"

#include "guard/link/passing.h"
#include "kernel/records/log.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum {
    REASON_BYTES_MAX = 200,
    NEWBORN_MS = 200, /* from the fork to the first word of a copy it is a millisecond or two */
};

/* ---- the list --------------------------------------------------------------------------------- */

static void note_pids(struct copies *copies)
{
    size_t count = 0;

    for (; count < copies->count; count++)
        copies->pids[count] = copies->items[count].pid;
    if (copies->broker > 1)
        copies->pids[count++] = copies->broker;
    if (copies->starter > 1)
        copies->pids[count++] = copies->starter;
    copies->guard->spared = (struct process_set){copies->pids, count};
}

/* The end of its link is the end of the copy. */
static void drop_at(struct copies *copies, size_t index)
{
    close(copies->items[index].link);
    copies->count--;
    memmove(&copies->items[index], &copies->items[index + 1],
            (copies->count - index) * sizeof(copies->items[0]));
    note_pids(copies);
}

static void drop_pending(struct copies *copies)
{
    if (copies->pending.link < 0)
        return;
    loop_remove(copies->loop, &copies->pending_source);
    close(steal_fd(&copies->pending.link));
}

static void drop_all(struct copies *copies)
{
    drop_pending(copies);
    while (copies->count > 0)
        drop_at(copies, copies->count - 1);
}

/* That of the start is kept beyond the number: it is what a reset goes back to. */
static void drop_surplus(struct copies *copies)
{
    size_t first = copies->count > 0 && copies->items[0].state.is_start ? 1 : 0;

    while (copies->count - first > copies->most)
        drop_at(copies, first);
}

void copies_finish(struct copies *copies)
{
    drop_all(copies);
    free(steal(copies->hindrance));
}

void copies_start(struct copies *copies, size_t most, pid_t broker, pid_t starter)
{
    copies->broker = broker;
    copies->starter = starter;
    drop_all(copies);
    free(steal(copies->hindrance));
    copies->most = most;
    note_pids(copies);
    copies->state = (struct session_state){.is_start = true};
    copies->is_current = false;
    copies->took_ms = 0;
    copies->settled_ms = loop_now_ms();
}

void copies_note_change(struct copies *copies, int execution_count, uint32_t cell)
{
    bool is_stored = execution_count != copies->state.execution_count;

    copies->before = copies->state;
    copies->state = (struct session_state){.execution_count = execution_count,
                                           .depth = copies->before.depth + is_stored,
                                           .cell = cell};
    copies->is_current = false;
}

/* ---- asking for one --------------------------------------------------------------------------- */

/* The sender's pid as the system knows it; 0 when nothing has come. Leaves the bytes where they are. */
static pid_t read_sender(int link)
{
    char byte;
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header;
    struct ucred sender = {0};

    if (recvmsg(link, &message, MSG_PEEK | MSG_DONTWAIT) != 1)
        return 0;
    header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
        memcpy(&sender, CMSG_DATA(header), sizeof(sender));
    return sender.pid;
}

/*
 * Whether it is what it would have to be as the guard: the first of its group, and a child of the guard, which becomes ours
 * with that one's end, or ours already. Another process that holds the link could not be killed with its group, nor be
 * waited for; and a number that nobody has any more may by now be that of somebody else's process.
 */
static bool can_take_over(const struct copies *copies, pid_t pid)
{
    pid_t guard = copies->guard->pid;

    return pid != guard && getpgid(pid) == pid && process_tree_is_child(pid, guard);
}

/* FROZEN and nothing else. */
static bool says_frozen(int link)
{
    struct frame_reader reader;
    struct frame frame;
    bool says;

    frame_reader_init(&reader, FRAME_TO_KERNEL);
    says = frame_reader_fill(&reader, link) == 0 && frame_reader_next(&reader, &frame) == 0 &&
           frame.type == FRAME_FROZEN && !frame_reader_has_bytes(&reader);
    frame_reader_finish(&reader);
    return says;
}

/* Whether the copy that was asked for waits now. */
static bool take_pending(struct copies *copies)
{
    struct copy copy = copies->pending;

    copy.pid = read_sender(copy.link);
    if (copy.pid <= 0 || !can_take_over(copies, copy.pid) || !says_frozen(copy.link))
        return false;
    loop_remove(copies->loop, &copies->pending_source);
    copies->pending.link = -1;
    if (copies->count == COPIES_MAX)
        drop_at(copies, 1);
    copies->items[copies->count++] = copy;
    note_pids(copies);
    drop_surplus(copies);
    return true;
}

static int settle(struct copies *copies)
{
    copies->settled_ms = loop_now_ms();
    copies->took_ms = copies->settled_ms - copies->asked_ms;
    return copies->settled(copies->context);
}

/* The copy that was asked for waits now: is it there? */
static bool note_pending(struct copies *copies)
{
    uint32_t cell = copies->pending.state.cell;

    if (!take_pending(copies))
        return false;
    free(steal(copies->hindrance));
    copies->is_current = copies->state.cell == cell;
    log_debug("copy %d of the guard waits, after %d ms", (int)copies_newest(copies)->pid,
              (int)(loop_now_ms() - copies->asked_ms));
    return true;
}

static int on_pending(void *context)
{
    struct copies *copies = context;

    if (!note_pending(copies))
        copies_refuse(copies, BYTES_LITERAL("the copy ended by itself"));
    return settle(copies);
}

/*
 * The guard is over. It may have made the copy first and then died in the cell behind; when it had not, nobody
 * holds the other end of the link and there is nothing to wait for.
 */
static void hear_newborn(void *context)
{
    struct copies *copies = context;
    struct pollfd link = {copies->pending.link, POLLIN, 0};

    if (copies_is_pending(copies) && poll(&link, 1, NEWBORN_MS) == 1)
        note_pending(copies);
}

void copies_init(struct copies *copies, struct loop *loop, struct guard_process *guard,
                 copies_settled settled, void *context)
{
    *copies = (struct copies){.loop = loop,
                              .guard = guard,
                              .settled = settled,
                              .context = context,
                              .pending.link = -1};
    guard->note_spared = hear_newborn;
    guard->note_context = copies;
}

/* Our end tells who writes into it. */
static int make_link(int ret_ends[2])
{
    int yes = 1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends) < 0)
        return -1;
    return setsockopt(ret_ends[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
}

static bool send_link(int socket, uint32_t number, int link)
{
    return passing_send(socket, (struct bytes){&number, sizeof(number)}, &(struct passed){{link}, 1},
                        MSG_DONTWAIT) == 0;
}

bool copies_is_pending(const struct copies *copies)
{
    return copies->pending.link >= 0;
}

bool copies_take(struct copies *copies)
{
    uint32_t number = ++copies->last_number;
    struct bytes part = {&number, sizeof(number)};
    cleanup_close int far = -1;
    int ends[2] = {-1, -1};

    if (copies->most == 0 || copies_is_pending(copies) || copies->guard->state != GUARD_READY)
        return false;
    if (make_link(ends) < 0 || !send_link(copies->guard->copies_socket, number, ends[1])) {
        copies_refuse(copies, bytes_of_string(strerror(errno)));
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    far = ends[1];
    copies->pending = (struct copy){.number = number, .link = ends[0], .state = copies->state};
    copies->pending_source = (struct loop_source){
        .fd = ends[0], .events = POLLIN, .callback = on_pending, .context = copies};
    loop_add(copies->loop, &copies->pending_source);
    copies->asked_ms = loop_now_ms();
    guard_process_send(copies->guard, &(struct frame){FRAME_FREEZE, 0, 1, &part});
    return true;
}

int copies_take_refusal(struct copies *copies, struct bytes reason)
{
    bool was_pending = copies_is_pending(copies);

    copies_refuse(copies, reason);
    return was_pending ? settle(copies) : 0;
}

void copies_refuse(struct copies *copies, struct bytes reason)
{
    size_t size = reason.size < REASON_BYTES_MAX ? reason.size : REASON_BYTES_MAX;

    drop_pending(copies);
    free(copies->hindrance);
    copies->hindrance = xstrndup(reason.data, size);
    log_info("no copy of the guard: %s", copies->hindrance);
}

char *copies_tell_hindrance(const struct copies *copies, const char *lead)
{
    return copies->hindrance != NULL ? xasprintf("%s%s", lead, copies->hindrance) : xstrdup("");
}

/* ---- taking over ------------------------------------------------------------------------------- */

const struct copy *copies_newest(const struct copies *copies)
{
    return copies->count > 0 ? &copies->items[copies->count - 1] : NULL;
}

/* A copy that does not take all of a frame can be told nothing any more. */
const struct copy *copies_ask(struct copies *copies, const struct frame *question)
{
    const struct copy *copy = copies_newest(copies);
    struct frame_writer writer;
    bool is_sent;

    if (copy == NULL)
        return NULL;
    frame_writer_init(&writer);
    frame_writer_push(&writer, question);
    is_sent = frame_writer_flush(&writer, copy->link) == 0;
    frame_writer_finish(&writer);
    if (is_sent)
        return copy;
    drop_at(copies, copies->count - 1);
    return NULL;
}

const struct copy *copies_find(const struct copies *copies, int depth)
{
    for (size_t i = copies->count; i > 0; i--)
        if (copies->items[i - 1].state.depth == depth)
            return &copies->items[i - 1];
    return NULL;
}

const struct copy *copies_find_start(const struct copies *copies)
{
    return copies->count > 0 && copies->items[0].state.is_start ? &copies->items[0] : NULL;
}

bool copies_thaw(struct copies *copies, const struct copy *copy)
{
    size_t index = (size_t)(copy - copies->items);
    struct copy chosen = *copy;
    struct pollfd link = {chosen.link, POLLIN, 0};
    int64_t began = loop_now_ms();
    int pidfd = (int)syscall(SYS_pidfd_open, chosen.pid, 0);

    /* It has nothing to say before it is asked: else it is over. */
    if (poll(&link, 1, 0) != 0 || pidfd < 0 || !can_take_over(copies, chosen.pid)) {
        if (pidfd >= 0)
            close(pidfd);
        drop_at(copies, index);
        return false;
    }
    drop_pending(copies);
    while (copies->count > index + 1)
        drop_at(copies, copies->count - 1);
    copies->count--; /* it is the guard's link from now on */
    note_pids(copies);
    guard_process_adopt(copies->guard, chosen.pid, pidfd, chosen.link);
    copies->state = copies->before = chosen.state;
    copies->is_current = false;
    copies->settled_ms = NEVER_MS; /* what is the guard now is a copy no more */
    log_info("copy %d is the guard, after %d ms", (int)chosen.pid, (int)(loop_now_ms() - began));
    return true;
}
