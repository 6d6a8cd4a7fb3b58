#include "guard/tools/call_type.h"

#include "guard/python/compat.h"
#include "guard/python/interrupt.h"
#include "guard/python/streams.h"
#include "guard/tools/message.h"
#include "guard/tools/value.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { READ_BYTES = 64 * 1024 };

struct call {
    PyObject ob_base;
    int connection;
    int outputs[2]; /* read ends of its stdout and stderr; -1 */
    int events;     /* epoll on all three: one descriptor to wait for */
};

static PyTypeObject *call_type;
static unsigned long main_thread;

static void close_all(struct call *call)
{
    if (call->events >= 0)
        close(steal_fd(&call->events));
    if (call->connection >= 0)
        close(steal_fd(&call->connection));
    for (int i = 0; i < 2; i++)
        if (call->outputs[i] >= 0)
            close(steal_fd(&call->outputs[i]));
}

/* ---- output ---------------------------------------------------------------------------------- */

/* What has been written by now. -1: exception of a signal handler. */
static int pump(struct call *call, int index)
{
    char bytes[READ_BYTES];

    while (call->outputs[index] >= 0) {
        ssize_t count = read(call->outputs[index], bytes, sizeof(bytes));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return 0;
        if (count == 0)
            close(steal_fd(&call->outputs[index]));
        else if (streams_write(index == 0 ? FRAME_STDOUT : FRAME_STDERR,
                               (struct bytes){bytes, (size_t)count}) < 0)
            return -1;
    }
    return 0;
}

static int pump_both(struct call *call)
{
    return pump(call, 0) < 0 || pump(call, 1) < 0 ? -1 : 0;
}

static void watch(struct call *call, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    epoll_ctl(call->events, EPOLL_CTL_ADD, fd, &event);
}

static void take_outputs(struct call *call, struct tool_message *message)
{
    for (int i = 0; i < 2; i++) {
        if (call->outputs[i] >= 0)
            continue; /* only once */
        call->outputs[i] = steal_fd(&message->fds[i]);
        fcntl(call->outputs[i], F_SETFL, O_NONBLOCK);
        watch(call, call->outputs[i]);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static const char *const kinds[TOOL_MESSAGE_TYPE_COUNT] = {[TOOL_YIELDED] = "yielded",
                                                           [TOOL_RETURNED] = "returned",
                                                           [TOOL_RAISED] = "raised",
                                                           [TOOL_ENDED] = "ended"};

/* (kind, text, reason) */
static PyObject *answer_of(const struct tool_message *message)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    if (tool_message_text(message, &text) != 0)
        return Py_BuildValue("(ssi)", "ended", "gave an answer that cannot be read", TOOL_END_DIED);
    return Py_BuildValue("(ss#I)", kinds[message->type], text.data != NULL ? text.data : "",
                         (Py_ssize_t)text.size, message->tool);
}

/* The next answer, new; NULL without an exception when there is none yet. */
static PyObject *take(struct call *call)
{
    for (;;) {
        struct tool_message message;
        PyObject *answer;
        int result;

        if (call->connection < 0)
            return Py_BuildValue("(ssi)", "ended", "is not running any more", TOOL_END_DIED);
        if (pump_both(call) < 0)
            return NULL;
        result = tool_message_receive(call->connection, TOOL_TO_GUARD, MSG_DONTWAIT, &message);
        if (result == -EINTR)
            continue;
        if (result == TOOL_E_AGAIN)
            return NULL;
        if (result != 0)
            return Py_BuildValue(
                "(ssi)", "ended",
                "has closed the call: it was malformed, or no tool process is left",
                TOOL_END_INVALID);
        if (message.type == TOOL_STARTED) {
            take_outputs(call, &message);
            tool_message_finish(&message);
            continue;
        }
        answer = pump_both(call) == 0 ? answer_of(&message) : NULL;
        tool_message_finish(&message);
        return answer;
    }
}

static PyObject *call_take(PyObject *self, PyObject *unused)
{
    PyObject *answer = take((struct call *)self);

    (void)unused;
    return answer != NULL || PyErr_Occurred() ? answer : py_own(Py_None);
}

/* A signal that comes just before poll() does not end it: on the main thread another descriptor
 * does. */
static int wait_for_more(const struct call *call)
{
    struct pollfd sources[2] = {{call->events, POLLIN, 0}, {interrupt_wake_fd(), POLLIN, 0}};
    nfds_t count = compat_thread_ident() == main_thread ? 2 : 1;

    /* clang-format off */
    Py_BEGIN_ALLOW_THREADS
    poll(sources, count, -1);
    Py_END_ALLOW_THREADS
        /* clang-format on */
        if (count == 2 && sources[1].revents != 0) interrupt_clear_wake();
    return PyErr_CheckSignals();
}

static PyObject *call_wait(PyObject *self, PyObject *unused)
{
    struct call *call = (struct call *)self;

    (void)unused;
    for (;;) {
        PyObject *answer = take(call);

        if (answer != NULL || PyErr_Occurred())
            return answer;
        if (wait_for_more(call) < 0)
            return NULL;
    }
}

static PyObject *call_fileno(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(((struct call *)self)->events);
}

static PyObject *call_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    close_all((struct call *)self);
    return py_own(Py_None);
}

static void call_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    close_all((struct call *)self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"fileno", call_fileno, METH_NOARGS,
     "A descriptor that is readable when take() may find something."},
    {"take", call_take, METH_NOARGS, "The next answer, (kind, text, reason), or None."},
    {"wait", call_wait, METH_NOARGS, "The next answer; waits for it."},
    {"close", call_close, METH_NOARGS,
     "No answer is wanted any more: a call that still runs is cancelled."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {{Py_tp_dealloc, call_free}, {Py_tp_methods, methods}, {0, NULL}};

static PyType_Spec spec = {.name = "safepyrun._guard.ToolCall",
                           .basicsize = sizeof(struct call),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};

int call_type_start(void)
{
    if (call_type != NULL)
        return 0;
    main_thread = compat_thread_ident();
    call_type = (PyTypeObject *)PyType_FromSpec(&spec);
    return call_type != NULL ? 0 : -1;
}

/* ---- beginning ------------------------------------------------------------------------------- */

/* -1 with an exception. */
static int ring(int bell, unsigned tool, struct bytes text, int far_end)
{
    struct tool_message message = {
        .type = TOOL_CALL, .tool = tool, .fds = {far_end, -1, -1}, .memory = -1};
    int result;

    do {
        result = tool_message_send(bell, &message, text, 0);
        if (PyErr_CheckSignals() < 0)
            return -1;
    } while (result == -EINTR);
    if (result == 0)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "no tool process can be reached: %s", strerror(-result));
    return -1;
}

PyObject *call_type_new(int bell, unsigned tool, PyObject *arguments)
{
    cleanup_buffer struct buffer json = BUFFER_NONE;
    cleanup_close int far_end = -1;
    cleanup_py PyObject *object = NULL;
    struct call *call;
    int ends[2];

    if (value_encode(arguments, &json) < 0)
        return NULL;
    object = ((allocfunc)PyType_GetSlot(call_type, Py_tp_alloc))(call_type, 0);
    if (object == NULL)
        return NULL;
    call = (struct call *)object;
    call->connection = call->outputs[0] = call->outputs[1] = -1;
    call->events = epoll_create1(EPOLL_CLOEXEC);
    if (call->events < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    call->connection = ends[0];
    far_end = ends[1];
    watch(call, call->connection);
    return ring(bell, tool, buffer_bytes(&json), far_end) == 0 ? steal(object) : NULL;
}
