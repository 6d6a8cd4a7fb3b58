#include "guard/python/module.h"
#include "guard/python/attribution.h"
#include "guard/python/cell.h"
#include "guard/python/compat.h"
#include "guard/python/display.h"
#include "guard/python/event_loop.h"
#include "guard/python/execute.h"
#include "guard/python/input.h"
#include "guard/python/interrupt.h"
#include "guard/python/json_string.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

#define NEW_METHOD(function) ((PyCFunction)(void (*)(void))(function))

static struct {
    bool released;
    PyObject *kept; /* list of (level, text) from before READY */
} log_lines;

static PyObject *publish(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static const char *names[] = {"msg_type", "content", "metadata", "buffers", NULL};
    const char *msg_type;
    PyObject *content;
    PyObject *metadata = NULL;
    PyObject *buffers = NULL;
    enum frame_type type;

    (void)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sO|OO:publish", (char **)names, &msg_type,
                                     &content, &metadata, &buffers))
        return NULL;
    type = display_type(msg_type);
    if (type == FRAME_INVALID || display_send(type, content, metadata, buffers) < 0)
        return NULL;
    return py_own(Py_None);
}

static PyObject *run_cell(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static const char *names[] = {"source", "silent", "store_history", NULL};
    PyObject *source;
    int silent = 0;
    int store_history = 1;

    (void)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|pp:run_cell", (char **)names, &source,
                                     &silent, &store_history))
        return NULL;
    return execute_nested(source, silent != 0);
}

static PyObject *check_ast(PyObject *self, PyObject *module)
{
    (void)self;
    return cell_check(module) < 0 ? NULL : py_own(Py_None);
}

static PyObject *evaluate(PyObject *self, PyObject *source)
{
    (void)self;
    if (!PyUnicode_Check(source)) {
        PyErr_SetString(PyExc_TypeError, "an expression is a str");
        return NULL;
    }
    return cell_evaluate(source);
}

static PyObject *ask_input(PyObject *self, PyObject *args)
{
    PyObject *prompt;
    int password;

    (void)self;
    if (!PyArg_ParseTuple(args, "Op:input", &prompt, &password))
        return NULL;
    return input_ask(prompt, password != 0);
}

static PyObject *flush(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    streams_flush();
    return py_own(Py_None);
}

static PyObject *current_cell(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyLong_FromUnsignedLong(attribution_cell());
}

static PyObject *set_current_cell(PyObject *self, PyObject *number)
{
    unsigned long cell = PyLong_AsUnsignedLong(number);

    (void)self;
    if (PyErr_Occurred())
        return NULL;
    return attribution_set((uint32_t)cell);
}

static PyObject *cell_context(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return execute_context();
}

static PyObject *get_event_loop(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return event_loop_get();
}

static int send_line(PyObject *level, PyObject *text)
{
    struct bytes parts[2];
    Py_ssize_t sizes[2];

    parts[0].data = PyUnicode_AsUTF8AndSize(level, &sizes[0]);
    parts[1].data = PyUnicode_AsUTF8AndSize(text, &sizes[1]);
    if (parts[0].data == NULL || parts[1].data == NULL) {
        PyErr_Clear(); /* a line that is no UTF-8 is not worth an error in a cell */
        return 0;
    }
    parts[0].size = (size_t)sizes[0];
    parts[1].size = (size_t)sizes[1];
    return link_end_send(&(struct frame){FRAME_LOG, 0, 2, parts});
}

static PyObject *log_line(PyObject *self, PyObject *args)
{
    PyObject *level;
    PyObject *text;

    (void)self;
    if (!PyArg_ParseTuple(args, "UU:log", &level, &text))
        return NULL;
    if (log_lines.released)
        return send_line(level, text) < 0 ? NULL : py_own(Py_None);
    if (log_lines.kept == NULL)
        log_lines.kept = PyList_New(0);
    if (log_lines.kept == NULL || PyList_Append(log_lines.kept, args) < 0)
        return NULL;
    return py_own(Py_None);
}

void module_release_log(void)
{
    Py_ssize_t count = log_lines.kept != NULL ? PyList_Size(log_lines.kept) : 0;

    log_lines.released = true;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *line = PyList_GetItem(log_lines.kept, i);

        if (send_line(PyTuple_GetItem(line, 0), PyTuple_GetItem(line, 1)) < 0)
            PyErr_Clear(); /* a signal at start: the lines are on their way */
    }
    Py_CLEAR(log_lines.kept);
}

static PyObject *wake_fd(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    return PyLong_FromLong(interrupt_wake_fd());
}

static PyObject *clear_wake(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    interrupt_clear_wake();
    return py_own(Py_None);
}

static PyObject *is_user_code(PyObject *self, PyObject *function)
{
    PyObject *code = compat.function_code(function); /* borrowed; NULL for what is no function in Python */

    (void)self;
    return code != NULL ? PyBool_FromLong(cell_is_user_code(code)) : NULL;
}

static PyMethodDef methods[] = {
    {"publish", NEW_METHOD(publish), METH_VARARGS | METH_KEYWORDS, NULL},
    {"run_cell", NEW_METHOD(run_cell), METH_VARARGS | METH_KEYWORDS, NULL},
    {"check_ast", check_ast, METH_O, NULL},
    {"evaluate", evaluate, METH_O, NULL},
    {"input", ask_input, METH_VARARGS, NULL},
    {"flush", flush, METH_NOARGS, NULL},
    {"current_cell", current_cell, METH_NOARGS, NULL},
    {"set_current_cell", set_current_cell, METH_O, NULL},
    {"cell_context", cell_context, METH_NOARGS, NULL},
    {"event_loop", get_event_loop, METH_NOARGS, NULL},
    {"log", log_line, METH_VARARGS, NULL},
    {"is_user_code", is_user_code, METH_O, NULL},
    {"json_string", json_string, METH_O, NULL},
    {"wake_fd", wake_fd, METH_NOARGS, NULL},
    {"clear_wake", clear_wake, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                                        .m_name = "safepyrun._guard",
                                        .m_doc = "The guard process, seen from its Python glue.",
                                        .m_size = -1,
                                        .m_methods = methods};

PyObject *module_new(PyMethodDef *more_methods)
{
    cleanup_py PyObject *module = PyModule_Create(&definition);

    if (module == NULL ||
        PyModule_AddStringConstant(module, "__version__", SAFEPYRUN_VERSION) < 0 ||
        (more_methods != NULL && PyModule_AddFunctions(module, more_methods) < 0))
        return NULL;
    return steal(module);
}
