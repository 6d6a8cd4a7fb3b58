#include "guard/python/aside.h"
#include "guard/link/aside.h"
#include "guard/link/descriptors.h"
#include "guard/link/passing.h"
#include "guard/python/attribution.h"
#include "guard/python/interrupt.h"
#include "guard/python/introspect.h"
#include "guard/python/json.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/quiet_thread.h"
#include "guard/python/subshell.h"
#include "guard/python/variables.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

static struct {
    int fd;
    struct sigaction python; /* Python's own handler, which notes that wake() is due */
    PyObject *glue; /* safepyrun._aside.Aside */
    atomic_bool has_thread;
    atomic_bool is_answering;
    bool wants_thread; /* there was no room for one when it was asked for */
} aside = {.fd = -1};

int aside_fd(void)
{
    return aside.fd;
}

bool aside_has_thread(void)
{
    return atomic_load(&aside.has_thread);
}

bool aside_is_answering(void)
{
    return atomic_load(&aside.is_answering);
}

/* ---- in the thread --------------------------------------------------------------------------- */

static bool is_late(const struct aside_head *head)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 > head->until_ms;
}

static PyObject *find_answer(const struct aside_head *head, struct bytes content)
{
    /* What is printed belongs to the question, not to the cell. */
    if (attribution_begin_aside(head->cell) < 0)
        return NULL;
    switch (head->type) {
    case FRAME_VARIABLES:
        return variables_answer();
    case FRAME_COMPLETE:
    case FRAME_INSPECT:
    case FRAME_IS_COMPLETE:
        return introspect_answer(aside.glue, (enum frame_type)head->type, content);
    default:
        return NULL;
    }
}

/* Posted and not sent: nobody waits for the socket here. */
static void post(const struct aside_head *head, PyObject *text)
{
    struct frame frame = {FRAME_ASIDE, head->cell, 0, NULL};
    struct bytes part;
    char *data = NULL;
    Py_ssize_t size = 0;

    if (text != NULL && PyBytes_AsStringAndSize(text, &data, &size) == 0) {
        part = (struct bytes){data, (size_t)size};
        frame.part_count = 1;
        frame.parts = &part;
    }
    PyErr_Clear(); /* said by the frame without a part */
    link_end_post(&frame);
}

/* Whether it was one. */
static bool obey(const struct aside_head *head, struct passed *passed)
{
    switch (head->type) {
    case ASIDE_OPEN_SUBSHELL:
        subshell_open(head->cell, passed_steal_one(passed));
        return true;
    case ASIDE_CLOSE_SUBSHELL:
        subshell_close(head->cell);
        return true;
    case ASIDE_INTERRUPT_SUBSHELL:
        subshell_interrupt(head->cell);
        return true;
    default:
        return false;
    }
}

static void answer(const struct aside_head *head, struct bytes content, struct passed *passed)
{
    PyGILState_STATE state;

    if (is_late(head))
        return;
    state = PyGILState_Ensure();
    if (!is_late(head) && !obey(head, passed)) {
        cleanup_py PyObject *found = find_answer(head, content);
        cleanup_py PyObject *text = found != NULL ? json_encode(found) : NULL;

        post(head, text);
    }
    PyGILState_Release(state);
}

static void *serve(void *unused)
{
    static char packet[sizeof(struct aside_head) + ASIDE_BYTES_MAX];
    struct aside_head head;
    ssize_t size;

    for (;;) {
        cleanup_passed struct passed passed = PASSED_NONE;

        size = passing_receive(aside.fd, packet, sizeof(packet), 0, &passed);
        if (size == -EINTR)
            continue;
        if (size < (ssize_t)sizeof(head))
            break; /* the kernel process is gone, or a cell has closed the descriptor */
        memcpy(&head, packet, sizeof(head));
        atomic_store(&aside.is_answering, true);
        answer(&head, (struct bytes){packet + sizeof(head), (size_t)size - sizeof(head)}, &passed);
        atomic_store(&aside.is_answering, false);
    }
    atomic_store(&aside.has_thread, false);
    return unused;
}

void aside_forget(void)
{
    char byte;

    /* Descriptors in a packet are closed by the system when nobody takes them. */
    while (aside.fd >= 0 && recv(aside.fd, &byte, sizeof(byte), MSG_DONTWAIT) > 0)
        continue;
}

/* ---- in a process of its own -------------------------------------------------------------------- */

/* One packet, whole or not at all: the process may be ended at any time. */
static void send_packet(const struct aside_head *head, PyObject *text)
{
    char *data = NULL;
    Py_ssize_t size = 0;
    struct iovec parts[2] = {{(void *)head, sizeof(*head)}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    if (text == NULL || PyBytes_AsStringAndSize(text, &data, &size) < 0)
        return;
    parts[1] = (struct iovec){data, (size_t)size};
    (void)!sendmsg(aside.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void aside_answer_here(const struct frame *frame)
{
    struct aside_head head = {.type = frame->type, .cell = frame->cell};
    cleanup_py PyObject *found = aside.fd >= 0 ? find_answer(&head, frame->parts[0]) : NULL;
    cleanup_py PyObject *text = found != NULL ? json_encode(found) : NULL;

    send_packet(&head, text);
}

/* ---- in the main thread ---------------------------------------------------------------------- */

static void start_thread(void)
{
    atomic_store(&aside.has_thread, true);
    aside.wants_thread = !quiet_thread_start(serve);
    if (aside.wants_thread)
        atomic_store(&aside.has_thread, false);
}

void aside_catch_up(void)
{
    if (aside.wants_thread)
        start_thread();
}

/* Between two byte codes: in the signal handler itself no thread may be started. */
static PyObject *wake(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    if (!aside_has_thread() && !link_end_is_detached())
        start_thread();
    subshell_prepare();
    return py_own(Py_None);
}

static PyMethodDef wake_method = {"wake", wake, METH_VARARGS, NULL};

bool aside_is_handler(PyObject *object)
{
    return PyCFunction_Check(object) && PyCFunction_GetFunction(object) == wake;
}

/* When the main thread is just about to wait, Python's handler alone would not be noticed. */
static void on_signal(int number)
{
    int error = errno;

    aside.python.sa_handler(number);
    interrupt_wake();
    errno = error;
}

static int install(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_signal");
    cleanup_py PyObject *handler = PyCFunction_NewEx(&wake_method, NULL, NULL);
    cleanup_py PyObject *before = NULL;
    struct sigaction ours;

    if (module == NULL || handler == NULL)
        return -1;
    before = PyObject_CallMethod(module, "signal", "iO", ASIDE_SIGNAL, handler);
    if (before == NULL || sigaction(ASIDE_SIGNAL, NULL, &aside.python) < 0)
        return -1;
    ours = aside.python;
    ours.sa_handler = on_signal;
    return sigaction(ASIDE_SIGNAL, &ours, NULL);
}

/* The thread stays behind, whatever it was doing. */
static void after_fork_in_child(void)
{
    atomic_store(&aside.has_thread, false);
    atomic_store(&aside.is_answering, false);
    aside.wants_thread = false;
}

int aside_start(int link_fd, PyObject *shell)
{
    int fd = link_fd + DESCRIPTOR_ASIDE;
    cleanup_py PyObject *module = NULL;

    if (!descriptor_is_packets(fd))
        return 0; /* started by hand */
    module = PyImport_ImportModule("safepyrun._aside");
    aside.glue = module != NULL ? PyObject_CallMethod(module, "Aside", "(O)", shell) : NULL;
    if (aside.glue == NULL || install() < 0)
        return -1;
    if (pthread_atfork(NULL, NULL, after_fork_in_child) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    aside.fd = fd;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? 0 : -1;
}
