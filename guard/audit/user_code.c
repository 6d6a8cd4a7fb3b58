#include "guard/audit/user_code.h"

#include "guard/audit/caller.h"
#include "guard/python/py_cleanup.h"

static PyTypeObject *code_type;

void user_code_start(PyTypeObject *type_of_code)
{
    code_type = type_of_code;
}

static int mark_inside(PyObject *object, PyObject *met);

static int mark_items(PyObject *container, PyObject *met)
{
    cleanup_py PyObject *items = PySequence_List(container);
    int result = items != NULL ? 0 : -1;

    for (Py_ssize_t i = 0; result == 0 && i < PyList_Size(items); i++)
        result = mark_inside(PyList_GetItem(items, i), met);
    return result;
}

static int mark_values(PyObject *dict, PyObject *met)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;
    int result = 0;

    while (result == 0 && PyDict_Next(dict, &at, &key, &value))
        result = mark_inside(key, met) < 0 ? -1 : mark_inside(value, met);
    return result;
}

static int mark_code(PyObject *code, PyObject *met)
{
    cleanup_py PyObject *constants = PyObject_GetAttrString(code, "co_consts");

    if (constants == NULL || caller_mark_user((struct scope *)scope_current(), code) < 0)
        return -1;
    return mark_items(constants, met);
}

static int mark_slice(PyObject *slice, PyObject *met)
{
    static const char *const parts[] = {"start", "stop", "step"};
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
        cleanup_py PyObject *part = PyObject_GetAttrString(slice, parts[i]);

        result = part != NULL ? mark_inside(part, met) : -1;
    }
    return result;
}

/* A container is met once, since data may hold it twice or in itself; it is as deep as marshal reads. */
static int mark_inside(PyObject *object, PyObject *met)
{
    bool is_code = Py_TYPE(object) == code_type;
    bool is_row = PyTuple_CheckExact(object) || PyList_CheckExact(object) || PyAnySet_CheckExact(object);
    bool is_slice = Py_TYPE(object) == &PySlice_Type;
    cleanup_py PyObject *address = NULL;
    int known;

    if (!is_code && !is_row && !is_slice && !PyDict_CheckExact(object))
        return 0;
    address = PyLong_FromVoidPtr(object);
    known = address != NULL ? PySet_Contains(met, address) : -1;
    if (known != 0 || PySet_Add(met, address) < 0)
        return known == 1 ? 0 : -1;
    if (is_code)
        return mark_code(object, met);
    if (is_slice)
        return mark_slice(object, met);
    return is_row ? mark_items(object, met) : mark_values(object, met);
}

int user_code_mark(PyObject *object)
{
    cleanup_py PyObject *met = PySet_New(NULL);

    return met != NULL ? mark_inside(object, met) : -1;
}
