#include "guard/tools/process.h"

#include "guard/python/py_cleanup.h"
#include "guard/tools/message.h"
#include "guard/tools/outside.h"
#include "guard/tools/value.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { RECORD_BYTES_MAX = 32 * 1024 };

static struct {
    const struct starter_settings *settings; /* NULL: this is no tool process */
} process;

const struct policy *process_policy(void)
{
    return process.settings != NULL ? process.settings->policy : NULL;
}

static int raise_errno(int result)
{
    errno = -result;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void limit_memory(long megabytes)
{
    rlim_t bytes = (rlim_t)megabytes << 20;

    if (megabytes > 0)
        setrlimit(RLIMIT_DATA, &(struct rlimit){bytes, bytes});
}

/* For the call that begins: the system counts from the start of the process. */
static void limit_cpu(long seconds)
{
    struct rusage used;
    struct rlimit limit;

    if (seconds <= 0 || getrusage(RUSAGE_SELF, &used) < 0 || getrlimit(RLIMIT_CPU, &limit) < 0)
        return;
    limit.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1 + seconds);
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CPU, &limit);
}

/* ---- for the loop in Python ------------------------------------------------------------------ */

/* Waits for a call: (number of the call, number of the tool, text, connection). Ends with the
 * starter. */
static PyObject *tool_next(PyObject *self, PyObject *unused)
{
    static struct tool_message message; /* 16 KB */
    cleanup_buffer struct buffer text = BUFFER_NONE;
    PyObject *result;
    int outcome;

    (void)self;
    (void)unused;
    do {
        outcome = tool_message_receive(PROCESS_CONTROL_FD, TOOL_TO_PROCESS, 0, &message);
        if (PyErr_CheckSignals() < 0) {
            if (outcome == 0)
                tool_message_finish(&message);
            return NULL;
        }
    } while (outcome == -EINTR);
    if (outcome != 0)
        _exit(0);
    /* What cannot be read is no JSON either, and is refused there. */
    if (tool_message_text(&message, &text) != 0)
        buffer_clear(&text, 0);
    result =
        Py_BuildValue("(IIy#i)", message.call, message.tool, text.data != NULL ? text.data : "",
                      (Py_ssize_t)text.size, message.fds[0]);
    if (result != NULL)
        steal_fd(&message.fds[0]);
    tool_message_finish(&message);
    return result;
}

/* (seconds): the time limit of the call at hand. Its limit of CPU time begins as well. */
static PyObject *tool_begin(PyObject *self, PyObject *args)
{
    struct tool_message begun = {.type = TOOL_BEGUN, .memory = -1};
    int result;

    (void)self;
    if (!PyArg_ParseTuple(args, "I:tool_begin", &begun.tool))
        return NULL;
    limit_cpu(process_policy()->limits.tool_cpu_seconds);
    result = tool_message_send(PROCESS_CONTROL_FD, &begun, BYTES_NONE, 0);
    return result == 0 ? py_own(Py_None) : (raise_errno(result), NULL);
}

static int open_pipes(int ret_ends[2])
{
    for (int i = 0; i < 2; i++) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
            return -errno;
        dup2(ends[1], 1 + i);
        close(ends[1]);
        ret_ends[i] = ends[0];
    }
    return 0;
}

/* (connection): from now on descriptors 1 and 2 go to the cell that has called. */
static PyObject *tool_open_streams(PyObject *self, PyObject *args)
{
    struct tool_message started = {.type = TOOL_STARTED, .fds = {-1, -1, -1}, .memory = -1};
    int connection;
    int result;

    (void)self;
    if (!PyArg_ParseTuple(args, "i:tool_open_streams", &connection))
        return NULL;
    result = open_pipes(started.fds);
    if (result == 0)
        result = tool_message_send(connection, &started, BYTES_NONE, MSG_DONTWAIT);
    tool_message_finish(&started);
    return result == 0 ? py_own(Py_None) : (raise_errno(result), NULL);
}

static PyObject *tool_close_streams(PyObject *self, PyObject *unused)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)self;
    (void)unused;
    for (int fd = 1; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    if (null >= 0)
        close(null);
    return py_own(Py_None);
}

/* (connection, type, value): waits while the guard takes no more. False when it is gone. */
static PyObject *tool_answer(PyObject *self, PyObject *args)
{
    struct tool_message answer = {.memory = -1};
    cleanup_buffer struct buffer json = BUFFER_NONE;
    PyObject *value;
    int connection;
    int type;
    int result;

    (void)self;
    if (!PyArg_ParseTuple(args, "iiO:tool_answer", &connection, &type, &value) ||
        value_encode(value, &json) < 0)
        return NULL;
    answer.type = type == 'y' ? TOOL_YIELDED : type == 'r' ? TOOL_RETURNED : TOOL_RAISED;
    do {
        result = tool_message_send(connection, &answer, buffer_bytes(&json), 0);
        if (PyErr_CheckSignals() < 0)
            return NULL;
    } while (result == -EINTR);
    return py_own(result == 0 ? Py_True : Py_False);
}

/* (connection): the call is over. */
static PyObject *tool_done(PyObject *self, PyObject *args)
{
    struct tool_message done = {.type = TOOL_DONE, .memory = -1};
    int connection;

    (void)self;
    if (!PyArg_ParseTuple(args, "i:tool_done", &connection))
        return NULL;
    close(connection);
    if (tool_message_send(PROCESS_CONTROL_FD, &done, BYTES_NONE, 0) != 0)
        _exit(0);
    return py_own(Py_None);
}

/* (text): one JSON object for the audit log; waits until the kernel process has room for it. */
static PyObject *tool_record(PyObject *self, PyObject *args)
{
    const char *text;
    Py_ssize_t size;

    (void)self;
    if (!PyArg_ParseTuple(args, "y#:tool_record", &text, &size))
        return NULL;
    if (process.settings->records >= 0 && size <= RECORD_BYTES_MAX)
        send(PROCESS_RECORDS_FD, text, (size_t)size, MSG_NOSIGNAL);
    return py_own(Py_None);
}

/* The time limit of a call whose tool names none. */
static PyObject *tool_seconds(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyLong_FromLong(process_policy()->limits.tool_seconds);
}

/* (value): ValueError or TypeError for what would not have been sent. */
static PyObject *tool_check(PyObject *self, PyObject *value)
{
    cleanup_buffer struct buffer json = BUFFER_NONE;

    (void)self;
    return value_encode(value, &json) == 0 ? PyLong_FromSize_t(json.size) : NULL;
}

static PyMethodDef methods[] = {{"tool_next", tool_next, METH_NOARGS, NULL},
                                {"tool_begin", tool_begin, METH_VARARGS, NULL},
                                {"tool_open_streams", tool_open_streams, METH_VARARGS, NULL},
                                {"tool_close_streams", tool_close_streams, METH_NOARGS, NULL},
                                {"tool_answer", tool_answer, METH_VARARGS, NULL},
                                {"tool_done", tool_done, METH_VARARGS, NULL},
                                {"tool_record", tool_record, METH_VARARGS, NULL},
                                {"tool_seconds", tool_seconds, METH_NOARGS, NULL},
                                {"tool_check", tool_check, METH_O, NULL},
                                {NULL, NULL, 0, NULL}};

/* ---- the process ----------------------------------------------------------------------------- */

/* Not from the table of a module that the guard's cells can see: the functions exist here alone. */
static int add_functions(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._guard");

    return module != NULL ? PyModule_AddFunctions(module, methods) : -1;
}

void process_serve(const struct starter_settings *settings, const struct buffer *names)
{
    cleanup_free char *problem = NULL;
    cleanup_py PyObject *module = NULL;
    cleanup_py PyObject *done = NULL;

    prctl(PR_SET_CHILD_SUBREAPER,
          1); /* what a tool leaves in the background ends with this process */
    limit_memory(settings->policy->limits.tool_memory_mb);
    process.settings = settings;
    outside_set_role(OUTSIDE_TOOL_PROCESS);
    if (add_functions() < 0)
        _exit(1);
    settings->setup(settings->policy, &problem);
    module = PyImport_ImportModule("safepyrun._tool_process");
    if (module != NULL)
        done = PyObject_CallMethod(module, "serve", "s#z", names->data, (Py_ssize_t)names->size,
                                   problem);
    _exit(done != NULL ? 0 : 1);
}
