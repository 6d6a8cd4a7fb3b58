#include "guard/python/introspect.h"
#include "guard/python/attribution.h"
#include "guard/python/error.h"
#include "guard/python/event_loop.h"
#include "guard/python/execute.h"
#include "guard/python/interrupt.h"
#include "guard/python/json.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/reply.h"

static struct {
    PyObject *shell;
} introspect;

void introspect_start(PyObject *shell)
{
    introspect.shell = shell;
}

static PyObject *decode_object(struct bytes text)
{
    cleanup_py PyObject *content = json_decode(text);

    if (content != NULL && !PyDict_Check(content)) {
        PyErr_SetString(PyExc_ValueError, "the content of a message is an object");
        return NULL;
    }
    return steal(content);
}

/* Borrowed, or NULL with ValueError. */
static PyObject *read_code(PyObject *content)
{
    PyObject *code = PyDict_GetItemString(content, "code");

    if (code == NULL || !PyUnicode_Check(code)) {
        PyErr_SetString(PyExc_ValueError, "the field \"code\" is missing or is not a string");
        return NULL;
    }
    return code;
}

/* Returns 0 or -1 with ValueError. */
static int read_number(PyObject *content, const char *name, Py_ssize_t otherwise,
                       Py_ssize_t *ret_value)
{
    PyObject *value = PyDict_GetItemString(content, name);
    int overflow = 0;

    *ret_value = otherwise;
    if (value == NULL)
        return 0;
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_ValueError, "the field \"%s\" is not a whole number", name);
        return -1;
    }
    *ret_value = (Py_ssize_t)PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0)
        *ret_value = overflow > 0 ? PY_SSIZE_T_MAX : 0;
    return 0;
}

/* Some clients count beyond the text, or send -1 for its end: the nearest place is meant. */
static int read_cursor(PyObject *content, PyObject *code, Py_ssize_t *ret_cursor)
{
    Py_ssize_t length = PyUnicode_GetLength(code);

    if (read_number(content, "cursor_pos", length, ret_cursor) < 0)
        return -1;
    if (*ret_cursor < 0 || *ret_cursor > length)
        *ret_cursor = length;
    return 0;
}

static PyObject *complete(PyObject *whom, PyObject *content)
{
    PyObject *code = read_code(content);
    Py_ssize_t cursor;

    if (code == NULL || read_cursor(content, code, &cursor) < 0)
        return NULL;
    return PyObject_CallMethod(whom, "complete", "On", code, cursor);
}

static PyObject *inspect(PyObject *whom, PyObject *content)
{
    PyObject *code = read_code(content);
    Py_ssize_t cursor;
    Py_ssize_t detail;

    if (code == NULL || read_cursor(content, code, &cursor) < 0 ||
        read_number(content, "detail_level", 0, &detail) < 0)
        return NULL;
    return PyObject_CallMethod(whom, "inspect", "Onn", code, cursor, detail);
}

static PyObject *is_complete(PyObject *whom, PyObject *content)
{
    PyObject *code = read_code(content);

    return code != NULL ? PyObject_CallMethod(whom, "is_complete", "(O)", code) : NULL;
}

static int set_status(PyObject *content)
{
    cleanup_py PyObject *ok = PyUnicode_FromString("ok");

    if (ok == NULL || !PyDict_Check(content))
        return -1;
    /* is_complete_reply uses the field for its answer. */
    if (PyDict_GetItemString(content, "status") != NULL)
        return 0;
    return PyDict_SetItemString(content, "status", ok);
}

static int begin(const struct frame *frame)
{
    return attribution_begin_request(frame->cell) < 0 ? -1 : interrupt_begin_cell();
}

PyObject *introspect_answer(PyObject *whom, enum frame_type type, struct bytes text)
{
    cleanup_py PyObject *content = decode_object(text);
    cleanup_py PyObject *answer = NULL;

    if (content == NULL)
        return NULL;
    if (type == FRAME_COMPLETE)
        answer = complete(whom, content);
    else
        answer = type == FRAME_INSPECT ? inspect(whom, content) : is_complete(whom, content);
    return answer != NULL && set_status(answer) == 0 ? steal(answer) : NULL;
}

void introspect_request(const struct frame *frame)
{
    cleanup_py PyObject *answer = NULL;

    if (begin(frame) == 0)
        answer = introspect_answer(introspect.shell, frame->type, frame->parts[0]);
    if (answer == NULL) {
        cleanup_py PyObject *exception = error_take();

        answer = exception != NULL ? reply_error_content(exception) : NULL;
    }
    reply_send(frame->cell, answer);
}

static const char *comm_type(enum frame_type type)
{
    switch (type) {
    case FRAME_COMM_OPEN_REQUEST:
        return "comm_open";
    case FRAME_COMM_MSG_REQUEST:
        return "comm_msg";
    default:
        return "comm_close";
    }
}

/* Copies: a callback may keep the buffers, and the frame is gone after it. */
static PyObject *copy_buffers(const struct frame *frame)
{
    cleanup_py PyObject *list = PyList_New(0);

    for (size_t i = 2; list != NULL && i < frame->part_count; i++) {
        cleanup_py PyObject *bytes =
            PyBytes_FromStringAndSize(frame->parts[i].data, (Py_ssize_t)frame->parts[i].size);
        cleanup_py PyObject *view = bytes != NULL ? PyMemoryView_FromObject(bytes) : NULL;

        if (view == NULL || PyList_Append(list, view) < 0)
            return NULL;
    }
    return steal(list);
}

static int deliver(const struct frame *frame)
{
    cleanup_py PyObject *content = decode_object(frame->parts[0]);
    cleanup_py PyObject *context = content != NULL ? decode_object(frame->parts[1]) : NULL;
    cleanup_py PyObject *metadata = NULL;
    cleanup_py PyObject *buffers = NULL;
    cleanup_py PyObject *result = NULL;

    if (context == NULL)
        return -1;
    metadata = py_own(PyDict_GetItemString(context, "metadata"));
    if (metadata == NULL || !PyDict_Check(metadata)) {
        PyErr_SetString(PyExc_ValueError, "a comm message without metadata");
        return -1;
    }
    execute_set_context(context); /* what a callback shows belongs to the message */
    buffers = copy_buffers(frame);
    if (buffers == NULL)
        return -1;
    result = PyObject_CallMethod(introspect.shell, "comm", "sOOO", comm_type(frame->type), content,
                                 metadata, buffers);
    return result != NULL ? 0 : -1;
}

void introspect_comm(const struct frame *frame)
{
    bool entered = false;

    if (begin(frame) < 0 || event_loop_enter_callback(&entered) < 0 || deliver(frame) < 0)
        error_print("handling a comm message");
    if (entered)
        event_loop_leave();
    reply_send(frame->cell, NULL);
}
