#include "guard/audit/host_data.h"

static PyObject *copy_items(PyObject *data, bool hides)
{
    cleanup_py PyObject *list = PyList_New(0);
    cleanup_py PyObject *iterator = PyObject_GetIter(data);
    PyObject *item;

    while (list != NULL && iterator != NULL && (item = PyIter_Next(iterator)) != NULL) {
        cleanup_py PyObject *inner = host_data_copy(item, hides);

        Py_DECREF(item);
        if (inner == NULL || PyList_Append(list, inner) < 0)
            return NULL;
    }
    return PyErr_Occurred() ? NULL : steal(list);
}

static PyObject *copy_dict(PyObject *data, bool hides)
{
    cleanup_py PyObject *result = PyDict_New();
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    while (result != NULL && PyDict_Next(data, &at, &key, &value)) {
        cleanup_py PyObject *inner = host_data_copy(value, hides);

        if (inner == NULL || PyDict_SetItem(result, key, inner) < 0)
            return NULL;
    }
    return steal(result);
}

static PyObject *copy_container(PyObject *data, bool hides)
{
    cleanup_py PyObject *items = NULL;

    if (PyDict_CheckExact(data))
        return copy_dict(data, hides);
    items = copy_items(data, hides);
    if (items == NULL || PyList_CheckExact(data))
        return steal(items);
    return PyTuple_CheckExact(data) ? PyList_AsTuple(items) : PySet_New(items);
}

static bool is_container(PyObject *data)
{
    return PyDict_CheckExact(data) || PyList_CheckExact(data) || PyTuple_CheckExact(data) ||
           Py_TYPE(data) == &PySet_Type;
}

PyObject *host_data_copy(PyObject *data, bool hides)
{
    PyObject *result;

    if (!is_container(data))
        return py_own(data);
    if (Py_EnterRecursiveCall(" while the data of a guard is copied"))
        return NULL;
    result = copy_container(data, hides);
    Py_LeaveRecursiveCall();
    return hides ? py_hide(result) : result;
}
