#include "guard/python/run_answer.h"
#include "guard/python/json.h"
#include "guard/python/py_cleanup.h"

#include <stdbool.h>

enum { DEPTH_MAX = 100 };

static PyObject *in_json_types(PyObject *value, int depth);

int run_answer_take_names(PyObject *namespace, struct bytes part, bool (*permits)(const char *name))
{
    cleanup_py PyObject *content = json_decode(part);
    PyObject *names = content != NULL && PyDict_Check(content)
                          ? PyDict_GetItemString(content, "names")
                          : NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (names == NULL || !PyDict_Check(names)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "the names of a run are no JSON object");
        return -1;
    }
    while (PyDict_Next(names, &at, &name, &value)) {
        const char *text = PyUnicode_AsUTF8AndSize(name, NULL);

        if (text == NULL)
            return -1;
        if ((permits == NULL || permits(text)) && PyDict_SetItem(namespace, name, value) < 0)
            return -1;
    }
    return 0;
}

static PyObject *list_in_json_types(PyObject *sequence, int depth)
{
    cleanup_py PyObject *from = PySequence_List(sequence);
    cleanup_py PyObject *list = from != NULL ? PyList_New(0) : NULL;

    for (Py_ssize_t i = 0; list != NULL && i < PyList_Size(from); i++) {
        cleanup_py PyObject *item = in_json_types(PyList_GetItem(from, i), depth);

        if (item == NULL || PyList_Append(list, item) < 0)
            return NULL;
    }
    return steal(list);
}

/* Over a copy of the items: str() of one may change the dictionary. */
static PyObject *dict_in_json_types(PyObject *from, int depth)
{
    cleanup_py PyObject *items = PyDict_Items(from);
    cleanup_py PyObject *dict = items != NULL ? PyDict_New() : NULL;

    for (Py_ssize_t i = 0; dict != NULL && i < PyList_Size(items); i++) {
        PyObject *item = PyList_GetItem(items, i);
        cleanup_py PyObject *key = PyObject_Str(PyTuple_GetItem(item, 0));
        cleanup_py PyObject *value =
            key != NULL ? in_json_types(PyTuple_GetItem(item, 1), depth) : NULL;

        if (value == NULL || PyDict_SetItem(dict, key, value) < 0)
            return NULL;
    }
    return steal(dict);
}

static PyObject *in_json_types(PyObject *value, int depth)
{
    cleanup_py PyObject *text = NULL;

    if (value == Py_None || PyBool_Check(value) || PyLong_CheckExact(value) ||
        PyFloat_CheckExact(value) || PyUnicode_CheckExact(value))
        return py_own(value);
    if (depth < DEPTH_MAX && (PyList_CheckExact(value) || PyTuple_CheckExact(value)))
        return list_in_json_types(value, depth + 1);
    if (depth < DEPTH_MAX && PyDict_CheckExact(value))
        return dict_in_json_types(value, depth + 1);
    text = json_encode(value);
    if (text != NULL) /* dates, bytes, numpy's arrays: the encoder of the link knows them */
        return py_own(value);
    PyErr_Clear();
    return PyObject_Str(value);
}

/* int(code) of `sys.exit(code)` as a shell has it: None is 0, what is no number was printed and is 1. */
static PyObject *exit_code_of(PyObject *error)
{
    cleanup_py PyObject *code = PyObject_GetAttrString(error, "code");

    if (code == NULL)
        return NULL;
    if (code == Py_None)
        return PyLong_FromLong(0);
    return PyLong_CheckExact(code) || PyBool_Check(code) ? PyNumber_Long(code) : PyLong_FromLong(1);
}

PyObject *run_answer_content(PyObject *namespace, PyObject *value, PyObject *error)
{
    cleanup_py PyObject *name = PyUnicode_FromString("result");
    PyObject *named = name != NULL ? PyDict_GetItemWithError(namespace, name) : NULL;
    cleanup_py PyObject *kept = py_own(named != NULL ? named : value != NULL ? value : Py_None);
    cleanup_py PyObject *result = PyErr_Occurred() ? NULL : in_json_types(kept, 0);
    cleanup_py PyObject *exit_code = NULL;
    cleanup_py PyObject *content = NULL;

    if (result == NULL)
        return NULL;
    content = Py_BuildValue("{s:O}", "result", result);
    if (content == NULL || error == NULL || !PyErr_GivenExceptionMatches(error, PyExc_SystemExit))
        return steal(content);
    exit_code = exit_code_of(error);
    if (exit_code == NULL || PyDict_SetItemString(content, "exit_code", exit_code) < 0)
        return NULL;
    return steal(content);
}
