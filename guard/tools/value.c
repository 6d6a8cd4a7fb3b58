#include "guard/tools/value.h"

#include "guard/link/utf8.h"
#include "guard/python/py_cleanup.h"
#include "guard/tools/message.h"

#include <math.h>

static int encode(PyObject *value, unsigned depth, struct buffer *json);

static int encode_text(PyObject *text, struct buffer *json)
{
    Py_ssize_t size;
    const char *data = PyUnicode_AsUTF8AndSize(text, &size);

    if (data == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "a str with a lone surrogate cannot be handed to or from a tool process");
        return -1;
    }
    utf8_append_quoted((struct bytes){data, (size_t)size}, json);
    return 0;
}

/* Decimal digits; by the C value, also of a subclass. */
static int encode_integer(PyObject *value, struct buffer *json)
{
    cleanup_py PyObject *digits = PyNumber_ToBase(value, 10);
    Py_ssize_t size = 0;
    const char *data = digits != NULL ? PyUnicode_AsUTF8AndSize(digits, &size) : NULL;

    if (data == NULL)
        return -1;
    buffer_append(json, (struct bytes){data, (size_t)size});
    return 0;
}

static int encode_float(PyObject *value, struct buffer *json)
{
    double number = PyFloat_AsDouble(value);
    char *digits;

    if (!isfinite(number)) {
        PyErr_SetString(PyExc_ValueError,
                        "NaN and infinities cannot be handed to or from a tool process");
        return -1;
    }
    digits = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (digits == NULL)
        return -1;
    buffer_append_string(json, digits);
    PyMem_Free(digits);
    return 0;
}

static int encode_items(PyObject *items, bool is_list, unsigned depth, struct buffer *json)
{
    Py_ssize_t size = is_list ? PyList_Size(items) : PyTuple_Size(items);

    buffer_append_char(json, '[');
    for (Py_ssize_t i = 0; i < size; i++) {
        if (i > 0)
            buffer_append_char(json, ',');
        if (encode(is_list ? PyList_GetItem(items, i) : PyTuple_GetItem(items, i), depth, json) < 0)
            return -1;
    }
    buffer_append_char(json, ']');
    return 0;
}

static int encode_dict(PyObject *dict, unsigned depth, struct buffer *json)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;
    bool is_first = true;

    buffer_append_char(json, '{');
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (!PyUnicode_Check(key)) {
            PyErr_SetString(
                PyExc_TypeError,
                "a dict that is handed to or from a tool process has keys of type str only");
            return -1;
        }
        if (!is_first)
            buffer_append_char(json, ',');
        is_first = false;
        if (encode_text(key, json) < 0)
            return -1;
        buffer_append_char(json, ':');
        if (encode(value, depth, json) < 0)
            return -1;
    }
    buffer_append_char(json, '}');
    return 0;
}

static int refuse(PyObject *value)
{
    cleanup_py PyObject *name = PyType_GetName(Py_TYPE(value));

    if (name != NULL)
        PyErr_Format(PyExc_TypeError,
                     "an object of type %U cannot be handed to or from a tool process: only None, "
                     "bool, int, float, "
                     "str, list, tuple and dict can",
                     name);
    return -1;
}

/* No user code runs in here, so nothing changes while it is read. */
static int encode(PyObject *value, unsigned depth, struct buffer *json)
{
    if (depth == 0 || json->size > TOOL_TEXT_BYTES) {
        PyErr_Format(PyExc_ValueError,
                     depth == 0
                         ? "nested deeper than %d, or in itself: it cannot be handed to or from a "
                           "tool process"
                         : "more than %d MB of JSON: it cannot be handed to or from a tool process",
                     depth == 0 ? VALUE_DEPTH_MAX : TOOL_TEXT_BYTES >> 20);
        return -1;
    }
    if (value == Py_None)
        buffer_append_string(json, "null");
    else if (value == Py_True || value == Py_False)
        buffer_append_string(json, value == Py_True ? "true" : "false");
    else if (PyUnicode_Check(value))
        return encode_text(value, json);
    else if (PyLong_Check(value))
        return encode_integer(value, json);
    else if (PyFloat_Check(value))
        return encode_float(value, json);
    else if (PyList_Check(value))
        return encode_items(value, true, depth - 1, json);
    else if (PyTuple_Check(value))
        return encode_items(value, false, depth - 1, json);
    else if (PyDict_Check(value))
        return encode_dict(value, depth - 1, json);
    else
        return refuse(value);
    return 0;
}

int value_encode(PyObject *value, struct buffer *json)
{
    if (encode(value, VALUE_DEPTH_MAX, json) < 0)
        return -1;
    if (json->size <= TOOL_TEXT_BYTES)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "more than %d MB of JSON: it cannot be handed to or from a tool process",
                 TOOL_TEXT_BYTES >> 20);
    return -1;
}
