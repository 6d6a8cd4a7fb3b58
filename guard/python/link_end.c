#include "guard/python/link_end.h"
#include "guard/python/interrupt.h"

#include <Python.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

/* A frame that came while another type was awaited. */
struct kept_frame {
    struct kept_frame *next;
    struct frame frame;
    struct bytes *parts;
    struct buffer bytes;
};

/* Where a thread takes its frames from: the link, or for a subshell a socket of its own. */
struct receiver {
    int fd;
    bool receiving; /* its thread waits for a frame, perhaps below a signal handler */
    bool is_over;
    struct frame_reader reader;
    struct kept_frame *kept;
    struct kept_frame *borrowed; /* the one that the last call returned */
};

static struct {
    int fd;
    bool detached;
    pthread_mutex_t lock; /* guards what follows; nobody asks for the GIL while holding it */
    struct frame_writer writer;
    unsigned holds; /* while there are any, frames are collected */
} end = {.fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

static struct receiver of_link = {.fd = -1};
static _Thread_local struct receiver *of_thread; /* NULL: the link */

static struct receiver *here(void)
{
    return of_thread != NULL ? of_thread : &of_link;
}

/* No exit(): handlers of a cell could hang, and there is nobody left to tell. */
static void __attribute__((noreturn)) end_process(void)
{
    _exit(0);
}

static void before_fork(void)
{
    pthread_mutex_lock(&end.lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&end.lock);
}

/* The socket stays open, or a descriptor that a cell opens next could take its number. */
static void after_fork_in_child(void)
{
    end.detached = true;
    pthread_mutex_unlock(&end.lock);
}

int link_end_open(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    frame_writer_init(&end.writer);
    frame_reader_init(&here()->reader, FRAME_TO_GUARD);
    end.fd = of_link.fd = fd;
    return -pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

int link_end_fd(void)
{
    return end.fd;
}

bool link_end_is_detached(void)
{
    return end.detached;
}

/* Returns whether something is still waiting. Called with the lock held. */
static bool flush_locked(void)
{
    int result = frame_writer_flush(&end.writer, end.fd);

    if (result == 0)
        return false;
    if (result == LINK_E_AGAIN || result == -EINTR)
        return true;
    end_process();
}

void link_end_post(const struct frame *frame)
{
    if (end.detached || end.fd < 0)
        return;
    pthread_mutex_lock(&end.lock);
    frame_writer_push(&end.writer, frame);
    if (end.holds == 0)
        flush_locked();
    pthread_mutex_unlock(&end.lock);
}

void link_end_hold(void)
{
    pthread_mutex_lock(&end.lock);
    end.holds++;
    pthread_mutex_unlock(&end.lock);
}

void link_end_release(void)
{
    pthread_mutex_lock(&end.lock);
    end.holds--;
    if (end.holds == 0 && !end.detached && end.fd >= 0)
        flush_locked();
    pthread_mutex_unlock(&end.lock);
}

size_t link_end_pending(void)
{
    size_t pending;

    pthread_mutex_lock(&end.lock);
    pending = frame_writer_pending(&end.writer);
    pthread_mutex_unlock(&end.lock);
    return pending;
}

bool link_end_push_on(void)
{
    bool waiting;

    if (end.detached || end.fd < 0)
        return false;
    pthread_mutex_lock(&end.lock);
    waiting = flush_locked();
    pthread_mutex_unlock(&end.lock);
    return waiting;
}

/* Lets the GIL go. Returns 0, or -1 with what a signal handler raised. */
static int wait_for(short events)
{
    /* Interrupts are for the main thread, which must not miss that it was woken. */
    struct pollfd poll_fds[] = {{.fd = events == POLLIN ? here()->fd : end.fd, .events = events},
                                {.fd = of_thread == NULL ? interrupt_wake_fd() : -1, .events = POLLIN}};

    /* clang-format off */
    Py_BEGIN_ALLOW_THREADS
    poll(poll_fds, 2, -1);
    Py_END_ALLOW_THREADS
        /* clang-format on */
        if (poll_fds[1].revents != 0) interrupt_clear_wake();
    return PyErr_CheckSignals();
}

int link_end_drain(void)
{
    while (link_end_push_on()) {
        if (wait_for(POLLOUT) < 0)
            return -1;
    }
    return 0;
}

int link_end_send(const struct frame *frame)
{
    if (!frame_fits(frame)) {
        PyErr_SetString(PyExc_ValueError,
                        "an output is larger than the 512 MB that a kernel can send");
        return -1;
    }
    link_end_post(frame);
    return link_end_drain();
}

static void free_kept(struct kept_frame *kept)
{
    if (kept == NULL)
        return;
    buffer_finish(&kept->bytes);
    free(kept->parts);
    free(kept);
}

static void keep_frame(const struct frame *frame)
{
    struct kept_frame *kept = xcalloc(1, sizeof(*kept));
    struct kept_frame **last = &here()->kept;
    size_t start = 0;

    kept->parts = xcalloc(frame->part_count, sizeof(*kept->parts));
    for (size_t i = 0; i < frame->part_count; i++)
        buffer_append(&kept->bytes, frame->parts[i]);
    for (size_t i = 0; i < frame->part_count; i++) {
        kept->parts[i] = (struct bytes){kept->bytes.data + start, frame->parts[i].size};
        start += frame->parts[i].size;
    }
    kept->frame = *frame;
    kept->frame.parts = kept->parts;
    while (*last != NULL)
        last = &(*last)->next;
    *last = kept;
}

static struct kept_frame *take_kept(void)
{
    struct kept_frame *kept = here()->kept;

    free_kept(here()->borrowed);
    here()->borrowed = kept;
    if (kept != NULL)
        here()->kept = kept->next;
    return kept;
}

/* Handlers of signals run in here: whatever they do, the frame that is awaited is not theirs. */
int link_end_wait(void)
{
    int result;

    if (end.detached)
        end_process();
    here()->receiving = true;
    result = wait_for(POLLIN);
    here()->receiving = false;
    return result;
}

bool link_end_is_receiving(void)
{
    return here()->receiving;
}

void link_end_renew(int fd)
{
    frame_writer_finish(&end.writer);
    frame_reader_finish(&here()->reader);
    frame_writer_init(&end.writer);
    frame_reader_init(&here()->reader, FRAME_TO_GUARD);
    while (take_kept() != NULL)
        continue;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    dup3(fd, end.fd, O_CLOEXEC);
    close(fd);
    end.detached = false;
}

/* The other side has closed it. Returns -1: a subshell is over, and not the process. */
static int end_receiving(void)
{
    if (of_thread == NULL)
        end_process();
    of_thread->is_over = true;
    PyErr_SetString(PyExc_EOFError, "the subshell has been deleted");
    return -1;
}

static int receive_from_socket(struct frame *ret_frame)
{
    struct receiver *receiver = here();

    if (end.detached)
        end_process();
    for (;;) {
        int result = frame_reader_next(&receiver->reader, ret_frame);

        if (result == 0)
            return 0;
        if (result == LINK_E_INVALID)
            return end_receiving();
        if (link_end_wait() < 0)
            return -1;
        /* Only when something is there: a try in vain would look like a request to a late SIGINT.
         */
        if (receiver == &of_link)
            interrupt_frame_taken(link_end_has_input());
        result = frame_reader_fill(&receiver->reader, receiver->fd);
        if (result == LINK_E_CLOSED || (result < 0 && result != -EINTR))
            return end_receiving();
    }
}

int link_end_receive(struct frame *ret_frame)
{
    struct kept_frame *kept = take_kept();

    if (kept == NULL)
        return receive_from_socket(ret_frame);
    *ret_frame = kept->frame;
    return 0;
}

int link_end_receive_type(enum frame_type type, struct frame *ret_frame)
{
    for (;;) {
        if (receive_from_socket(ret_frame) < 0)
            return -1;
        if (ret_frame->type == type)
            return 0;
        keep_frame(ret_frame);
    }
}

/* Reads what there is, once something is. */
static void fill_quietly(void)
{
    struct pollfd poll_fd = {.fd = here()->fd, .events = POLLIN};
    int result;

    if (link_end_push_on())
        poll_fd.events |= POLLOUT;
    if (poll(&poll_fd, 1, -1) <= 0)
        return; /* a signal: its handler has noted it */
    result = frame_reader_fill(&here()->reader, here()->fd);
    if (result == LINK_E_CLOSED || (result < 0 && result != -EINTR))
        end_process();
}

/* The first one that is kept of this type, out of its turn. */
static struct kept_frame *take_kept_type(enum frame_type type)
{
    struct kept_frame **at = &here()->kept;

    while (*at != NULL && (*at)->frame.type != type)
        at = &(*at)->next;
    if (*at == NULL)
        return NULL;
    free_kept(here()->borrowed);
    here()->borrowed = *at;
    *at = here()->borrowed->next;
    return here()->borrowed;
}

bool link_end_look_for(enum frame_type type, struct frame *ret_frame)
{
    struct kept_frame *kept;
    struct pollfd poll_fd = {.fd = here()->fd, .events = POLLIN};

    if (end.detached || end.fd < 0 || here()->receiving)
        return false;
    kept = take_kept_type(type);
    if (kept != NULL) {
        *ret_frame = kept->frame;
        return true;
    }
    for (;;) {
        int result = frame_reader_next(&here()->reader, ret_frame);

        if (result == LINK_E_INVALID)
            end_process();
        if (result == 0 && ret_frame->type == type)
            return true;
        if (result == 0)
            keep_frame(ret_frame);
        else if (poll(&poll_fd, 1, 0) <= 0)
            return false;
        else
            fill_quietly();
    }
}

bool link_end_wait_quietly(enum frame_type last, struct frame *ret_frame)
{
    for (;;) {
        int result = frame_reader_next(&here()->reader, ret_frame);

        if (result == LINK_E_INVALID)
            end_process();
        if (result == LINK_E_AGAIN) {
            fill_quietly();
            continue;
        }
        if (ret_frame->type != last)
            return true;
        keep_frame(ret_frame);
        return false;
    }
}

bool link_end_exchange(const struct frame *frame, enum frame_type type, struct frame *ret_frame)
{
    if (end.detached || end.fd < 0 || here()->receiving)
        return false;
    link_end_post(frame);
    for (;;) {
        int result = frame_reader_next(&here()->reader, ret_frame);

        if (result == LINK_E_INVALID)
            end_process();
        if (result == LINK_E_AGAIN)
            fill_quietly();
        else if (ret_frame->type == type)
            return true;
        else
            keep_frame(ret_frame);
    }
}

bool link_end_has_input_within(int timeout_ms)
{
    struct pollfd poll_fd = {.fd = here()->fd, .events = POLLIN};

    return here()->kept != NULL || frame_reader_has_bytes(&here()->reader) || poll(&poll_fd, 1, timeout_ms) > 0;
}

bool link_end_has_input(void)
{
    return link_end_has_input_within(0);
}

void link_end_enter_thread(int fd)
{
    of_thread = xcalloc(1, sizeof(*of_thread));
    of_thread->fd = fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    frame_reader_init(&of_thread->reader, FRAME_TO_GUARD);
}

bool link_end_is_over(void)
{
    return here()->is_over;
}

void link_end_leave_thread(void)
{
    while (take_kept() != NULL)
        continue;
    frame_reader_finish(&of_thread->reader);
    close(of_thread->fd);
    free(of_thread);
    of_thread = NULL;
}

void link_end_close(void)
{
    struct pollfd poll_fd = {.fd = end.fd, .events = POLLOUT};

    while (link_end_push_on())
        poll(&poll_fd, 1, -1);
}
