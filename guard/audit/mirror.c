/* A mirror is a tuple (type, content): (None, object) for what is compared as it is. */
#include "guard/audit/mirror.h"

#include "guard/audit/class_parts.h"

/* Larger and deeper values are remembered by identity from there on. */
#define SIZE_MAX_MIRRORED 10000
#define DEPTH_MAX 8

static bool is_atom(PyObject *value)
{
    return PyUnicode_CheckExact(value) || PyBytes_CheckExact(value) || PyLong_CheckExact(value) ||
           PyFloat_CheckExact(value) || PyBool_Check(value) || value == Py_None;
}

static PyObject *pair(PyObject *type, PyObject *content)
{
    return content != NULL ? py_hide(PyTuple_Pack(2, type, content)) : NULL;
}

static PyObject *mirror_at(PyObject *value, unsigned depth);

static PyObject *mirror_items(PyObject *sequence, unsigned depth)
{
    Py_ssize_t size = PySequence_Size(sequence);
    cleanup_py PyObject *items = py_hide(PyTuple_New(size));

    for (Py_ssize_t i = 0; items != NULL && i < size; i++) {
        cleanup_py PyObject *source = PySequence_GetItem(sequence, i);
        PyObject *item = source != NULL ? mirror_at(source, depth + 1) : NULL;

        if (item == NULL || PyTuple_SetItem(items, i, item) < 0)
            return NULL;
    }
    return steal(items);
}

/* NULL without an exception when a key is no plain text or number. */
static PyObject *mirror_dict(PyObject *dict, unsigned depth)
{
    cleanup_py PyObject *content = PyDict_New();
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    while (content != NULL && PyDict_Next(dict, &at, &key, &value)) {
        cleanup_py PyObject *item = is_atom(key) ? mirror_at(value, depth + 1) : NULL;

        if (item == NULL || PyDict_SetItem(content, key, item) < 0)
            return NULL;
    }
    return py_hide(steal(content));
}

static bool holds_atoms(PyObject *list)
{
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++)
        if (!is_atom(PyList_GetItem(list, i)))
            return false;
    return true;
}

static PyObject *mirror_set(PyObject *set)
{
    cleanup_py PyObject *items = PySequence_List(set);

    if (items == NULL || !holds_atoms(items))
        return NULL;
    return py_hide(PyFrozenSet_New(items));
}

/* (the wrapper, what it hands on to). NULL without an exception for what is none. */
static PyObject *mirror_wrapper(PyObject *value, unsigned depth)
{
    cleanup_py PyObject *parts = class_wrapped(value);
    cleanup_py PyObject *items = parts != NULL ? mirror_items(parts, depth) : NULL;

    return items != NULL ? py_hide(PyTuple_Pack(2, value, items)) : NULL;
}

static bool is_exact_set(PyObject *value)
{
    return Py_TYPE(value) == &PySet_Type || Py_TYPE(value) == &PyFrozenSet_Type;
}

/* NULL: to be remembered by identity. */
static PyObject *content_of(PyObject *value, unsigned depth)
{
    if (depth >= DEPTH_MAX)
        return NULL;
    if (PyByteArray_CheckExact(value))
        return PyBytes_FromStringAndSize(PyByteArray_AsString(value), PyByteArray_Size(value));
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value))
        return PySequence_Size(value) <= SIZE_MAX_MIRRORED ? mirror_items(value, depth) : NULL;
    if (PyDict_CheckExact(value))
        return PyDict_Size(value) <= SIZE_MAX_MIRRORED ? mirror_dict(value, depth) : NULL;
    if (is_exact_set(value))
        return PySet_Size(value) <= SIZE_MAX_MIRRORED ? mirror_set(value) : NULL;
    return mirror_wrapper(value, depth);
}

static PyObject *mirror_at(PyObject *value, unsigned depth)
{
    cleanup_py PyObject *content = is_atom(value) ? NULL : content_of(value, depth);

    if (content != NULL)
        return pair((PyObject *)Py_TYPE(value), content);
    if (PyErr_Occurred())
        return NULL;
    return pair(Py_None, value);
}

PyObject *mirror_of(PyObject *value)
{
    return mirror_at(value, 0);
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool equal_atoms(PyObject *one, PyObject *other)
{
    int result = PyObject_RichCompareBool(one, other, Py_EQ); /* exact built-in types */

    PyErr_Clear(); /* a BytesWarning made an error: not equal then */
    return result == 1;
}

static bool equal_items(PyObject *items, PyObject *sequence)
{
    bool is_list = PyList_CheckExact(sequence);

    if (PyTuple_Size(items) != (is_list ? PyList_Size(sequence) : PyTuple_Size(sequence)))
        return false;
    for (Py_ssize_t i = 0; i < PyTuple_Size(items); i++)
        if (!mirror_equals(PyTuple_GetItem(items, i), is_list ? PyList_GetItem(sequence, i)
                                                              : PyTuple_GetItem(sequence, i)))
            return false;
    return true;
}

static bool equal_dict(PyObject *content, PyObject *dict)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    if (PyDict_Size(content) != PyDict_Size(dict))
        return false;
    while (PyDict_Next(dict, &at, &key, &value)) {
        PyObject *mirror = is_atom(key) ? PyDict_GetItemWithError(content, key) : NULL;

        if (mirror == NULL || !mirror_equals(mirror, value))
            return false;
    }
    return true;
}

static bool equal_set(PyObject *content, PyObject *set)
{
    cleanup_py PyObject *items = PySequence_List(set);

    if (items == NULL || PyList_Size(items) != PySet_Size(content) || !holds_atoms(items)) {
        PyErr_Clear(); /* changed meanwhile */
        return false;
    }
    for (Py_ssize_t i = 0; i < PyList_Size(items); i++)
        if (PySet_Contains(content, PyList_GetItem(items, i)) != 1)
            return false;
    return true;
}

static bool equal_bytes(PyObject *content, PyObject *bytearray)
{
    cleanup_py PyObject *now =
        PyBytes_FromStringAndSize(PyByteArray_AsString(bytearray), PyByteArray_Size(bytearray));

    return now != NULL && equal_atoms(content, now);
}

static bool equal_wrapper(PyObject *content, PyObject *value)
{
    cleanup_py PyObject *parts = class_wrapped(value);

    return parts != NULL && PyTuple_GetItem(content, 0) == value &&
           equal_items(PyTuple_GetItem(content, 1), parts);
}

bool mirror_has_content(PyObject *mirror)
{
    return PyTuple_GetItem(mirror, 0) != Py_None;
}

bool mirror_equals(PyObject *mirror, PyObject *value)
{
    PyObject *type = PyTuple_GetItem(mirror, 0);
    PyObject *content = PyTuple_GetItem(mirror, 1);

    if (type == Py_None)
        return content == value || (Py_TYPE(content) == Py_TYPE(value) && is_atom(content) &&
                                    equal_atoms(content, value));
    if ((PyObject *)Py_TYPE(value) != type)
        return false;
    if (PyList_CheckExact(value) || PyTuple_CheckExact(value))
        return equal_items(content, value);
    if (PyDict_CheckExact(value))
        return equal_dict(content, value);
    if (is_exact_set(value))
        return equal_set(content, value);
    return PyByteArray_CheckExact(value) ? equal_bytes(content, value) : equal_wrapper(content, value);
}
