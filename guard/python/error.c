#include "guard/python/error.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

enum {
    TRACEBACK_MAX = 3500, /* IPython's recursion limit is 3000: what is usual stays as it is */
    TRACEBACK_KEPT = 50,  /* at each end of a longer one */
    CONTEXTS_MAX = 50,
};

PyObject *error_take(void)
{
    PyObject *type = NULL;
    PyObject *value = NULL;
    PyObject *traceback = NULL;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value != NULL && traceback != NULL)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

void error_raise(PyObject *exception)
{
    PyErr_Restore(py_own((PyObject *)Py_TYPE(exception)), py_own(exception),
                  PyException_GetTraceback(exception));
}

static bool frame_is_wanted(PyObject *traceback, bool (*is_user_code)(PyObject *code))
{
    cleanup_py PyObject *frame = PyObject_GetAttrString(traceback, "tb_frame");
    cleanup_py PyObject *code = NULL;

    if (frame != NULL)
        code = PyObject_GetAttrString(frame, "f_code");
    if (code == NULL) {
        PyErr_Clear(); /* an odd traceback is shown as it is */
        return true;
    }
    return is_user_code(code);
}

void error_strip(PyObject *exception, bool (*is_user_code)(PyObject *code))
{
    PyObject *traceback = PyException_GetTraceback(exception);

    while (traceback != NULL && traceback != Py_None && !frame_is_wanted(traceback, is_user_code)) {
        PyObject *next = PyObject_GetAttrString(traceback, "tb_next");

        Py_DECREF(traceback);
        traceback = next;
    }
    if (traceback == NULL)
        PyErr_Clear(); /* as above */
    else if (traceback != Py_None)
        PyException_SetTraceback(exception, traceback);
    Py_XDECREF(traceback);
}

/* The traceback `steps` after this one; new, NULL when it ends before. */
static PyObject *traceback_after(PyObject *traceback, size_t steps)
{
    PyObject *at = py_own(traceback);

    for (size_t i = 0; i < steps && at != NULL && at != Py_None; i++) {
        PyObject *next = PyObject_GetAttrString(at, "tb_next");

        Py_DECREF(at);
        at = next;
    }
    if (at != Py_None)
        return at;
    Py_DECREF(at);
    return NULL;
}

static size_t traceback_length(PyObject *traceback)
{
    PyObject *at = py_own(traceback);
    size_t length = 0;

    while (at != NULL && at != Py_None) {
        PyObject *next = PyObject_GetAttrString(at, "tb_next");

        Py_DECREF(at);
        at = next;
        length++;
    }
    Py_XDECREF(at);
    return length;
}

static void add_note(PyObject *exception, size_t left_out)
{
    cleanup_py PyObject *text = PyUnicode_FromFormat(
        "%zu lines of this traceback are left out in the middle", left_out);
    cleanup_py PyObject *done =
        text != NULL ? PyObject_CallMethod(PyExc_BaseException, "add_note", "OO", exception, text)
                     : NULL;

    if (done == NULL)
        PyErr_Clear(); /* the error is there without the note */
}

static void shorten_one(PyObject *exception)
{
    cleanup_py PyObject *traceback = PyException_GetTraceback(exception);
    size_t length = traceback != NULL ? traceback_length(traceback) : 0;
    cleanup_py PyObject *last_of_head = NULL;
    cleanup_py PyObject *tail = NULL;

    if (length <= TRACEBACK_MAX)
        return;
    last_of_head = traceback_after(traceback, TRACEBACK_KEPT);
    tail = traceback_after(last_of_head, length - 2 * TRACEBACK_KEPT);
    if (tail != NULL && PyObject_SetAttrString(last_of_head, "tb_next", tail) == 0)
        add_note(exception, length - 2 * TRACEBACK_KEPT);
    PyErr_Clear(); /* shown in full, then */
}

void error_shorten(PyObject *exception)
{
    PyObject *at = py_own(exception);

    for (int i = 0; i < CONTEXTS_MAX && at != NULL; i++) {
        PyObject *context = PyException_GetContext(at);

        shorten_one(at);
        Py_DECREF(at);
        at = context;
    }
    Py_XDECREF(at);
}

static PyObject *text_or(PyObject *text, const char *otherwise)
{
    if (text != NULL && PyUnicode_Check(text))
        return text;
    PyErr_Clear(); /* str() or repr() of a cell's exception failed: said in `otherwise` */
    Py_XDECREF(text);
    return PyUnicode_FromString(otherwise);
}

static PyObject *plain_content(PyObject *exception)
{
    cleanup_py PyObject *name = text_or(PyType_GetName(Py_TYPE(exception)), "Exception");
    cleanup_py PyObject *value =
        text_or(PyObject_Str(exception), "<the text of this exception failed>");

    if (name == NULL || value == NULL)
        return NULL;
    return Py_BuildValue("{s:O,s:O,s:[N]}", "ename", name, "evalue", value, "traceback",
                         PyUnicode_FromFormat("%U: %U", name, value));
}

static PyObject *shell_content(PyObject *shell, PyObject *exception)
{
    cleanup_py PyObject *result = PyObject_CallMethod(shell, "format_error", "(O)", exception);
    PyObject *name;
    PyObject *value;
    PyObject *lines;

    if (result == NULL || !PyArg_ParseTuple(result, "UUO", &name, &value, &lines))
        return NULL;
    return Py_BuildValue("{s:O,s:O,s:N}", "ename", name, "evalue", value, "traceback",
                         PySequence_List(lines));
}

PyObject *error_content(PyObject *shell, PyObject *exception)
{
    PyObject *content = shell != NULL ? shell_content(shell, exception) : NULL;

    if (content != NULL)
        return content;
    PyErr_Clear(); /* the exception of the cell is what matters */
    return plain_content(exception);
}

int error_write(PyObject *text)
{
    cleanup_py PyObject *encoded = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    Py_ssize_t size;
    char *data;

    if (encoded == NULL || PyBytes_AsStringAndSize(encoded, &data, &size) < 0)
        return -1;
    return streams_write(FRAME_STDERR, (struct bytes){data, (size_t)size});
}

static PyObject *format(PyObject *exception)
{
    cleanup_py PyObject *library = PyImport_ImportModule("safepyrun._library");
    cleanup_py PyObject *traceback = NULL;
    cleanup_py PyObject *lines = NULL;
    cleanup_py PyObject *nothing = PyUnicode_FromString("");

    if (library == NULL || nothing == NULL)
        return NULL;
    traceback = PyObject_CallMethod(library, "load", "s", "traceback");
    if (traceback != NULL)
        lines = PyObject_CallMethod(traceback, "format_exception", "(O)", exception);
    return lines != NULL ? PyUnicode_Join(nothing, lines) : NULL;
}

void error_print(const char *doing)
{
    cleanup_py PyObject *exception = error_take();
    cleanup_py PyObject *text = exception != NULL ? format(exception) : NULL;
    cleanup_py PyObject *message = NULL;

    PyErr_Clear(); /* a traceback that cannot be formatted is left out */
    message = text != NULL ? PyUnicode_FromFormat("Error while %s:\n%U", doing, text)
                           : PyUnicode_FromFormat("Error while %s.\n", doing);
    if (message == NULL || error_write(message) < 0)
        PyErr_Clear(); /* there is no better place to say it */
}
