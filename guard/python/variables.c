#include "guard/python/variables.h"
#include "guard/python/error.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/reply.h"

#include <stdbool.h>

enum {
    VARIABLES_MAX = 1000, /* told in one reply; the rest is counted */
    TEXT_MAX = 120,       /* characters of a value */
};

static struct {
    PyObject *namespace;
    PyObject *initial; /* a copy of the namespace as the shell left it */
} state;

int variables_start(PyObject *shell)
{
    state.namespace = PyObject_GetAttrString(shell, "namespace");
    state.initial = state.namespace != NULL ? PyDict_Copy(state.namespace) : NULL;
    return state.initial != NULL ? 0 : -1;
}

PyObject *variables_initial(void)
{
    return py_own(state.initial);
}

/* Any other key could compare itself with ours. */
static bool is_listed(PyObject *name, PyObject *value)
{
    if (!PyUnicode_CheckExact(name) || PyUnicode_GetLength(name) == 0 ||
        PyUnicode_ReadChar(name, 0) == '_')
        return false;
    return PyDict_GetItemWithError(state.initial, name) != value;
}

/* The length of a container whose type is Python's own; -1 for all others. */
static Py_ssize_t length_of(PyObject *value)
{
    if (PyUnicode_CheckExact(value))
        return PyUnicode_GetLength(value);
    if (PyList_CheckExact(value))
        return PyList_Size(value);
    if (PyTuple_CheckExact(value))
        return PyTuple_Size(value);
    if (PyDict_CheckExact(value))
        return PyDict_Size(value);
    if (PyBytes_CheckExact(value))
        return PyBytes_Size(value);
    if (PyByteArray_CheckExact(value))
        return PyByteArray_Size(value);
    return PyAnySet_CheckExact(value) ? PySet_Size(value) : -1;
}

static PyObject *whole_number(PyObject *value)
{
    int overflow;

    PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow == 0)
        return PyObject_Repr(value);
    cleanup_py PyObject *bits = PyObject_CallMethod(value, "bit_length", NULL);

    return bits != NULL ? PyUnicode_FromFormat("a number of %S bits", bits) : NULL;
}

static PyObject *short_text(PyObject *value)
{
    cleanup_py PyObject *head = NULL;
    cleanup_py PyObject *quoted = NULL;

    if (PyUnicode_GetLength(value) <= TEXT_MAX)
        return PyObject_Repr(value);
    head = PyUnicode_Substring(value, 0, TEXT_MAX);
    quoted = head != NULL ? PyObject_Repr(head) : NULL;
    return quoted != NULL ? PyUnicode_FromFormat("%U...", quoted) : NULL;
}

/* A new string, or NULL, with or without an exception. */
static PyObject *value_text(PyObject *value)
{
    if (value == Py_None || PyBool_Check(value) || PyFloat_CheckExact(value) ||
        Py_TYPE(value) == &PyComplex_Type)
        return PyObject_Repr(value);
    if (PyLong_CheckExact(value))
        return whole_number(value);
    if (PyUnicode_CheckExact(value))
        return short_text(value);
    if (PyModule_CheckExact(value)) {
        PyObject *name = PyModule_GetNameObject(value);

        if (name == NULL)
            PyErr_Clear(); /* a cell took its name away */
        return name;
    }
    return NULL;
}

/* Arrays of C types tell their shape by the buffer protocol. A class written in Python could answer it
   with a method, so only types that are not made at run time are asked. */
static PyObject *shape_of(PyObject *value)
{
    Py_buffer view;
    PyObject *shape;

    if ((PyType_GetFlags(Py_TYPE(value)) & Py_TPFLAGS_HEAPTYPE) != 0 || PyBytes_Check(value) ||
        PyByteArray_Check(value) || !PyObject_CheckBuffer(value))
        return NULL;
    if (PyObject_GetBuffer(value, &view, PyBUF_FULL_RO) < 0) {
        PyErr_Clear(); /* arrays of objects have no buffer */
        return NULL;
    }
    shape = PyList_New(0);
    for (int i = 0; shape != NULL && i < view.ndim; i++) {
        cleanup_py PyObject *size = PyLong_FromSsize_t(view.shape[i]);

        if (size == NULL || PyList_Append(shape, size) < 0)
            Py_CLEAR(shape);
    }
    PyBuffer_Release(&view);
    return shape;
}

static PyObject *describe(PyObject *name, PyObject *value)
{
    cleanup_py PyObject *entry = PyDict_New();
    cleanup_py PyObject *type_name = PyType_GetQualName(Py_TYPE(value));
    Py_ssize_t length = length_of(value);
    PyObject *text;

    if (entry == NULL || type_name == NULL || PyDict_SetItemString(entry, "name", name) < 0 ||
        py_set(entry, "type", PyUnicode_FromObject(type_name)) < 0)
        return NULL;
    if (length >= 0 && py_set(entry, "length", PyLong_FromSsize_t(length)) < 0)
        return NULL;
    text = value_text(value);
    if ((text != NULL || PyErr_Occurred()) && py_set(entry, "value", text) < 0)
        return NULL;
    text = shape_of(value);
    if ((text != NULL || PyErr_Occurred()) && py_set(entry, "shape", text) < 0)
        return NULL;
    return steal(entry);
}

/* Goes over a copy: a finalizer that runs meanwhile may change the namespace. */
static PyObject *list_variables(Py_ssize_t *ret_more)
{
    cleanup_py PyObject *namespace = PyDict_Copy(state.namespace);
    cleanup_py PyObject *list = namespace != NULL ? PyList_New(0) : NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    *ret_more = 0;
    while (list != NULL && PyDict_Next(namespace, &at, &name, &value)) {
        cleanup_py PyObject *entry = NULL;

        if (!is_listed(name, value))
            continue;
        if (PyList_Size(list) == VARIABLES_MAX) {
            ++*ret_more;
            continue;
        }
        entry = describe(name, value);
        if (entry == NULL || PyList_Append(list, entry) < 0)
            return NULL;
    }
    return steal(list);
}

PyObject *variables_answer(void)
{
    Py_ssize_t more;
    PyObject *list = list_variables(&more);

    return list != NULL ? Py_BuildValue("{s:s,s:N,s:n}", "status", "ok", "variables", list, "more", more)
                        : NULL;
}

void variables_request(const struct frame *frame)
{
    cleanup_py PyObject *answer = variables_answer();

    if (answer == NULL) {
        cleanup_py PyObject *exception = error_take();

        answer = exception != NULL ? reply_error_content(exception) : NULL;
    }
    reply_send(frame->cell, answer);
}
