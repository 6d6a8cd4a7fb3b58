#include "guard/hosts/namespace.h"

int namespace_init(struct namespace *space, PyObject *outer, bool only_suffix)
{
    PyObject *builtins = PyEval_GetBuiltins();

    *space = (struct namespace){.outer = py_own(outer), .only_suffix = only_suffix};
    space->inner = PyDict_New();
    space->exported = PyDict_New();
    space->builtins = builtins != NULL ? PyDict_Copy(builtins) : NULL;
    return space->inner != NULL && space->exported != NULL && space->builtins != NULL ? 0 : -1;
}

void namespace_finish(struct namespace *space)
{
    Py_CLEAR(space->outer);
    Py_CLEAR(space->inner);
    Py_CLEAR(space->builtins);
    Py_CLEAR(space->exported);
}

static int fill(struct namespace *space, PyObject *inner)
{
    cleanup_py PyObject *name = PyUnicode_FromString("__main__");

    if (name == NULL || PyDict_Update(inner, space->outer) < 0 ||
        PyDict_SetItemString(inner, "__name__", name) < 0)
        return -1;
    return PyDict_SetItemString(inner, "__builtins__", space->builtins);
}

PyObject *namespace_begin(struct namespace *space)
{
    bool is_alone = space->running++ == 0 && !space->only_suffix;
    cleanup_py PyObject *inner = is_alone ? py_own(space->inner) : PyDict_New();

    if (inner == NULL)
        return NULL;
    /* What the host has deleted since, and what a cell that failed has left. */
    if (is_alone)
        PyDict_Clear(inner);
    return fill(space, inner) == 0 ? steal(inner) : NULL;
}

static bool ends_with_underscore(PyObject *name)
{
    Py_ssize_t size = PyUnicode_GetLength(name);

    return size > 0 && PyUnicode_ReadChar(name, size - 1) == '_';
}

static bool begins_with_underscore(PyObject *name)
{
    return PyUnicode_GetLength(name) > 0 && PyUnicode_ReadChar(name, 0) == '_';
}

/* Did a cell make what the host has under this name? */
static bool is_of_a_cell(struct namespace *space, PyObject *name, PyObject *value)
{
    PyObject *address = PyDict_GetItemWithError(space->exported, name);

    return address != NULL && PyLong_AsVoidPtr(address) == (void *)value;
}

static bool goes_out(struct namespace *space, PyObject *name, PyObject *value)
{
    PyObject *old = PyDict_GetItemWithError(space->outer, name);

    if (old == value || PyUnicode_CompareWithASCIIString(name, "__builtins__") == 0 ||
        PyUnicode_CompareWithASCIIString(name, "__name__") == 0)
        return false;
    if (space->only_suffix)
        return ends_with_underscore(name) && !begins_with_underscore(name);
    if (old == NULL || ends_with_underscore(name) || is_of_a_cell(space, name, old))
        return true;
    return !PyCallable_Check(old) && !PyModule_Check(old);
}

static int put_out(struct namespace *space, PyObject *name, PyObject *value)
{
    cleanup_py PyObject *address = PyLong_FromVoidPtr(value);

    if (address == NULL || PyDict_SetItem(space->exported, name, address) < 0)
        return -1;
    return PyDict_SetItem(space->outer, name, value);
}

/* Storing a value can release another, whose finalizer is the cell's: nothing is borrowed over it. */
int namespace_end(struct namespace *space, PyObject *inner, bool done)
{
    cleanup_py PyObject *names = NULL;

    space->running--;
    if (!done || inner == NULL)
        return 0;
    names = PyDict_Keys(inner);
    for (Py_ssize_t i = 0; names != NULL && i < PyList_Size(names); i++) {
        PyObject *name = PyList_GetItem(names, i);
        cleanup_py PyObject *value = NULL;

        if (!PyUnicode_CheckExact(name))
            continue; /* globals()[object] = …: no name */
        value = py_own(PyDict_GetItemWithError(inner, name));
        if (value != NULL && goes_out(space, name, value) && put_out(space, name, value) < 0)
            return -1;
        if (PyErr_Occurred())
            return -1;
    }
    return names != NULL ? 0 : -1;
}
