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

int namespace_begin(struct namespace *space, struct cell_names *ret_names)
{
    bool is_alone = space->running++ == 0 && !space->only_suffix;

    ret_names->inner = is_alone ? py_own(space->inner) : PyDict_New();
    ret_names->before = PyDict_New();
    if (ret_names->inner == NULL || ret_names->before == NULL)
        return -1;
    /* What the host has deleted since, and what a cell that failed has left. */
    if (is_alone)
        PyDict_Clear(ret_names->inner);
    if (fill(space, ret_names->inner) < 0)
        return -1;
    return PyDict_Update(ret_names->before, ret_names->inner);
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

/* value: NULL when the cell has deleted the name. */
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
static int put_all_out(struct namespace *space, const struct cell_names *names)
{
    cleanup_py PyObject *list = PyDict_Keys(names->inner);

    for (Py_ssize_t i = 0; list != NULL && i < PyList_Size(list); i++) {
        PyObject *name = PyList_GetItem(list, i);
        cleanup_py PyObject *value = NULL;

        if (!PyUnicode_CheckExact(name))
            continue; /* globals()[object] = …: no name */
        value = py_own(PyDict_GetItemWithError(names->inner, name));
        if (value != NULL && value != PyDict_GetItemWithError(names->before, name) &&
            goes_out(space, name, value) && put_out(space, name, value) < 0)
            return -1;
        if (PyErr_Occurred())
            return -1;
    }
    return list != NULL ? 0 : -1;
}

static int take_away(struct namespace *space, PyObject *name)
{
    if (PyDict_GetItemWithError(space->exported, name) != NULL &&
        PyDict_DelItem(space->exported, name) < 0)
        return -1;
    return PyDict_DelItem(space->outer, name);
}

/* What the cell has deleted, unless the program has put something else there meanwhile. */
static int delete_all(struct namespace *space, const struct cell_names *names)
{
    cleanup_py PyObject *list = PyDict_Keys(names->before);

    for (Py_ssize_t i = 0; list != NULL && i < PyList_Size(list); i++) {
        PyObject *name = PyList_GetItem(list, i);
        PyObject *outer = PyUnicode_CheckExact(name) ? PyDict_GetItemWithError(space->outer, name) : NULL;

        if (outer != NULL && outer == PyDict_GetItemWithError(names->before, name) &&
            PyDict_GetItemWithError(names->inner, name) == NULL && goes_out(space, name, NULL) &&
            take_away(space, name) < 0)
            return -1;
        if (PyErr_Occurred())
            return -1;
    }
    return list != NULL ? 0 : -1;
}

int namespace_end(struct namespace *space, struct cell_names *names, bool done)
{
    cleanup_py PyObject *inner = steal(names->inner);
    cleanup_py PyObject *before = steal(names->before);
    const struct cell_names own = {inner, before};

    space->running--;
    if (!done || inner == NULL)
        return 0;
    return put_all_out(space, &own) == 0 ? delete_all(space, &own) : -1;
}
