#include "guard/python/streams.h"
#include "guard/link/utf8.h"
#include "guard/python/attribution.h"
#include "guard/python/link_end.h"
#include "guard/python/quiet_thread.h"
#include "guard/python/stream_type.h"

#include <pthread.h>
#include <time.h>

enum {
    FLUSH_BYTES = 32 * 1024,
    FRAME_BYTES = 1024 * 1024, /* a larger text is sent in pieces, so that nobody holds it twice */
    TIMER_MS = 50,
};

static struct {
    pthread_mutex_t
        lock; /* taken before the lock of the link; nobody asks for the GIL holding it */
    pthread_cond_t written;
    bool timer_runs;
    bool timer_sleeps;
    enum frame_type type;
    uint32_t cell;
    struct buffer text;
} streams = {.lock = PTHREAD_MUTEX_INITIALIZER, .written = PTHREAD_COND_INITIALIZER};

static void post_text(enum frame_type type, uint32_t cell, struct bytes text)
{
    link_end_post(&(struct frame){type, cell, 1, &text});
}

static void post_buffered(void)
{
    if (streams.text.size == 0)
        return;
    post_text(streams.type, streams.cell, buffer_bytes(&streams.text));
    buffer_clear(&streams.text, 2 * (size_t)FLUSH_BYTES);
}

/* While the kernel process takes nothing, more frames would only pile up here: the timer waits on.
 */
static void *timer(void *unused)
{
    static const struct timespec delay = {.tv_nsec = TIMER_MS * 1000000L};

    pthread_mutex_lock(&streams.lock);
    for (;;) {
        while (streams.text.size == 0 && !link_end_push_on()) {
            streams.timer_sleeps = true;
            pthread_cond_wait(&streams.written, &streams.lock);
            streams.timer_sleeps = false;
        }
        pthread_mutex_unlock(&streams.lock);
        nanosleep(&delay, NULL);
        pthread_mutex_lock(&streams.lock);
        if (!link_end_push_on())
            post_buffered();
    }
    return unused;
}

/* Tried once: without it text goes when there is much of it, and before the reply. */
static void start_timer(void)
{
    quiet_thread_start(timer);
    streams.timer_runs = true;
}

static void wake_timer(void)
{
    if (!streams.timer_runs)
        start_timer();
    else if (streams.timer_sleeps)
        pthread_cond_signal(&streams.written);
}

/* Copies or posts the text; returns whether the caller should wait for the socket. */
static bool add_text(enum frame_type type, uint32_t cell, struct bytes text)
{
    bool posted = false;

    pthread_mutex_lock(&streams.lock);
    if (streams.text.size != 0 && (streams.type != type || streams.cell != cell)) {
        post_buffered();
        posted = true;
    }
    if (text.size >= FLUSH_BYTES) {
        post_buffered();
        post_text(type, cell, text);
        posted = true;
    } else {
        streams.type = type;
        streams.cell = cell;
        buffer_append(&streams.text, text);
        if (streams.text.size >= FLUSH_BYTES) {
            post_buffered();
            posted = true;
        } else {
            wake_timer();
        }
    }
    pthread_mutex_unlock(&streams.lock);
    return posted;
}

/* Before the first cell and in a forked child there is no frame for the text: it goes to the pipe.
 */
static int write_to_pipe(enum frame_type type, struct bytes text)
{
    int fd = type == FRAME_STDOUT ? STDOUT_FILENO : STDERR_FILENO;

    while (text.size > 0) {
        ssize_t count;
        int error;

        Py_BEGIN_ALLOW_THREADS count = write(fd, text.data, text.size);
        error = errno;
        Py_END_ALLOW_THREADS if (count < 0 && error == EINTR)
        {
            if (PyErr_CheckSignals() < 0)
                return -1;
            continue;
        }
        if (count < 0)
            return 0; /* nobody reads: print() in a child must not fail for that */
        text.data = (const char *)text.data + count;
        text.size -= (size_t)count;
    }
    return 0;
}

int streams_write(enum frame_type type, struct bytes text)
{
    uint32_t cell = attribution_cell();

    if (cell == 0 || link_end_is_detached())
        return write_to_pipe(type, text);
    while (text.size > 0) {
        size_t size = utf8_cut(text, FRAME_BYTES); /* another cell's frame may come in between */

        if (add_text(type, cell, (struct bytes){text.data, size}) && link_end_drain() < 0)
            return -1;
        text.data = (const char *)text.data + size;
        text.size -= size;
    }
    return 0;
}

void streams_flush(void)
{
    pthread_mutex_lock(&streams.lock);
    post_buffered();
    pthread_mutex_unlock(&streams.lock);
}

void streams_flush_all(void)
{
    streams_flush();
    fflush(NULL);
}

bool streams_has_timer(void)
{
    return streams.timer_runs;
}

/* Text that is buffered belongs to the parent: posted before the fork, it is not sent twice. */
static void before_fork(void)
{
    pthread_mutex_lock(&streams.lock);
    post_buffered();
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&streams.lock);
}

static void after_fork_in_child(void)
{
    streams.timer_runs = false;
    streams.timer_sleeps = false;
    pthread_cond_init(&streams.written, NULL);
    pthread_mutex_unlock(&streams.lock);
}

int streams_start(void)
{
    if (pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    return stream_type_start();
}
