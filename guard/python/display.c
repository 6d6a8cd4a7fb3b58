#include "guard/python/display.h"
#include "guard/python/attribution.h"
#include "guard/python/error.h"
#include "guard/python/json.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

static const struct {
    const char *msg_type;
    enum frame_type type;
} published[] = {
    {"display_data", FRAME_DISPLAY_DATA},
    {"update_display_data", FRAME_UPDATE_DISPLAY_DATA},
    {"clear_output", FRAME_CLEAR_OUTPUT},
    {"execute_result", FRAME_EXECUTE_RESULT},
    {"error", FRAME_ERROR},
    {"comm_open", FRAME_COMM_OPEN},
    {"comm_msg", FRAME_COMM_MSG},
    {"comm_close", FRAME_COMM_CLOSE},
};

enum frame_type display_type(const char *msg_type)
{
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        if (strcmp(published[i].msg_type, msg_type) == 0)
            return published[i].type;
    }
    PyErr_Format(PyExc_ValueError, "a cell cannot publish %s", msg_type);
    return FRAME_INVALID;
}

static struct bytes bytes_of(PyObject *object)
{
    char *data = NULL;
    Py_ssize_t size = 0;

    PyBytes_AsStringAndSize(object, &data, &size);
    return (struct bytes){data, (size_t)size};
}

static PyObject *encode_or_empty(PyObject *object)
{
    if (object == NULL || object == Py_None)
        return PyBytes_FromStringAndSize("{}", 2);
    if (!PyDict_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "content and metadata of a message are dicts");
        return NULL;
    }
    return json_encode(object);
}

/* A frame in the making: its parts, and the views of the cell's buffers that they point into. */
struct message {
    struct bytes *parts;
    Py_buffer *views;
    size_t part_count;
    size_t view_count;
};

static void message_finish(struct message *message)
{
    for (size_t i = 0; i < message->view_count; i++)
        PyBuffer_Release(&message->views[i]);
    free(message->views);
    free(message->parts);
}

static int add_buffers(struct message *message, PyObject *list)
{
    Py_ssize_t count = PyList_Size(list);

    for (Py_ssize_t i = 0; i < count; i++) {
        Py_buffer *view = &message->views[message->view_count];

        if (PyObject_GetBuffer(PyList_GetItem(list, i), view, PyBUF_SIMPLE) < 0)
            return -1;
        message->view_count++;
        message->parts[message->part_count++] = (struct bytes){view->buf, (size_t)view->len};
    }
    return 0;
}

/* buffers: a list of our own, so that its length stays. */
static int message_fill(struct message *message, PyObject *content, PyObject *metadata,
                        PyObject *buffers)
{
    size_t count = buffers != NULL ? (size_t)PyList_Size(buffers) : 0;

    if (count > FRAME_PARTS_MAX - 2) {
        PyErr_SetString(PyExc_ValueError, "too many buffers in one message");
        return -1;
    }
    message->parts = xcalloc(count + 2, sizeof(*message->parts));
    message->views = xcalloc(count, sizeof(*message->views));
    message->parts[message->part_count++] = bytes_of(content);
    message->parts[message->part_count++] = bytes_of(metadata);
    return buffers != NULL ? add_buffers(message, buffers) : 0;
}

static int post(const struct frame *frame)
{
    if (!frame_fits(frame)) {
        PyErr_SetString(PyExc_ValueError,
                        "an output is larger than the 512 MB that a kernel can send");
        return -1;
    }
    link_end_hold();
    streams_flush();
    link_end_post(frame);
    link_end_release();
    return 0;
}

/* Encodes first: what cannot be encoded leaves nothing behind on the link. */
static int post_parts(uint32_t cell, enum frame_type type, PyObject *content, PyObject *metadata,
                      PyObject *buffers)
{
    __attribute__((cleanup(message_finish))) struct message message = {.part_count = 0};
    cleanup_py PyObject *content_text = encode_or_empty(content);
    cleanup_py PyObject *metadata_text = content_text != NULL ? encode_or_empty(metadata) : NULL;
    cleanup_py PyObject *list = NULL;

    if (metadata_text == NULL)
        return -1;
    if (buffers != NULL && buffers != Py_None) {
        list = PySequence_List(buffers);
        if (list == NULL)
            return -1;
    }
    if (message_fill(&message, content_text, metadata_text, list) < 0)
        return -1;
    return post(&(struct frame){type, cell, message.part_count, message.parts});
}

int display_post_for(uint32_t cell, enum frame_type type, PyObject *content)
{
    if (content == NULL)
        return post(&(struct frame){type, cell, 0, NULL});
    return post_parts(cell, type, content, NULL, NULL);
}

int display_send_for(uint32_t cell, enum frame_type type, PyObject *content)
{
    return display_post_for(cell, type, content) < 0 ? -1 : link_end_drain();
}

/* A thread or task whose cell is over shows its value as an output, and its error as text. */
static int send_late(uint32_t cell, enum frame_type type, PyObject *content, PyObject *metadata)
{
    PyObject *lines;

    if (type == FRAME_EXECUTE_RESULT)
        return post_parts(cell, FRAME_DISPLAY_DATA, content, metadata, NULL);
    lines = PyDict_Check(content) ? PyDict_GetItemString(content, "traceback") : NULL;
    for (Py_ssize_t i = 0; lines != NULL && PyList_Check(lines) && i < PyList_Size(lines); i++) {
        cleanup_py PyObject *line = PyUnicode_FromFormat("%S\n", PyList_GetItem(lines, i));

        if (line == NULL || error_write(line) < 0)
            return -1;
    }
    return 0;
}

int display_send(enum frame_type type, PyObject *content, PyObject *metadata, PyObject *buffers)
{
    uint32_t cell = attribution_cell();

    /* Before the first cell there is nobody to show it to; a forked child has no link. */
    if (cell == 0 || link_end_is_detached())
        return 0;
    if (frame_rule(type)->permitted == FRAME_RUNNING && !attribution_is_running(cell))
        return send_late(cell, type, content, metadata);
    return post_parts(cell, type, content, metadata, buffers) < 0 ? -1 : link_end_drain();
}
