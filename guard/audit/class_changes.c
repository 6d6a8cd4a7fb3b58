#include "guard/audit/class_changes.h"

#include "guard/audit/carrier_kinds.h"
#include "guard/audit/class_parts.h"
#include "guard/audit/scope.h"

#include <stdio.h>
#include <string.h>

static struct {
    PyObject *watched; /* dict: address -> class, which is held: another one would get its address */
    char first[80]; /* "Class.name" of the first change; "" */
} state;

/* ---- whose class ----------------------------------------------------------------------------- */

int class_changes_watch(PyObject *type)
{
    cleanup_py PyObject *address = PyLong_FromVoidPtr(type);
    int result;

    if (state.watched == NULL)
        state.watched = PyDict_New();
    result = address != NULL && state.watched != NULL ? PyDict_SetItem(state.watched, address, type) : -1;
    py_hide(state.watched);
    return result;
}

static bool is_watched(PyObject *type)
{
    cleanup_py PyObject *address = state.watched != NULL ? PyLong_FromVoidPtr(type) : NULL;

    return state.watched != NULL && (address == NULL || PyDict_Contains(state.watched, address) != 0);
}

/* ---- what is put there ----------------------------------------------------------------------- */

static bool is_special(PyObject *name)
{
    const char *text = PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    size_t length = text != NULL ? strlen(text) : 0;

    return text == NULL || (length > 4 && strncmp(text, "__", 2) == 0 && strcmp(text + length - 2, "__") == 0);
}

static bool counts(PyObject *name, PyObject *value)
{
    PyObject *parts[3];
    bool is_wrapper = false;

    if (PyUnicode_CheckExact(name) && PyUnicode_CompareWithASCIIString(name, "__bases__") == 0)
        return true;
    class_unwrap(value, parts);
    for (size_t i = 0; i < 3; i++) {
        is_wrapper = is_wrapper || parts[i] != NULL;
        if (parts[i] != NULL && parts[i] != value && counts(name, parts[i]))
            return true;
    }
    if (is_wrapper || carrier_cell_wrote(value))
        return false;
    /* Of a library, or a class: under a special name Python calls it, whatever it is. */
    return carrier_runs_bare(value) || (is_special(name) && class_attribute_runs(value));
}

/* The class's own, new; NULL without an exception when it has none. */
static PyObject *own_value(PyObject *type, PyObject *name)
{
    cleanup_py PyObject *space = PyUnicode_CheckExact(name) ? class_space((PyTypeObject *)type) : NULL;
    PyObject *value = space != NULL ? PyObject_GetItem(space, name) : NULL;

    PyErr_Clear();
    return value;
}

void class_changes_note(PyObject *type, PyObject *name, PyObject *value)
{
    cleanup_py PyObject *before = NULL;
    cleanup_py PyObject *type_name = NULL;
    const char *text;
    const char *attribute;

    if (state.first[0] != '\0' || value == NULL || scope_current() == NULL || !is_watched(type) || !counts(name, value))
        return;
    before = own_value(type, name);
    if (before == value)
        return;
    type_name = PyType_GetName((PyTypeObject *)type);
    text = type_name != NULL ? PyUnicode_AsUTF8AndSize(type_name, NULL) : NULL;
    attribute = PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    snprintf(state.first, sizeof(state.first), "%.40s.%.30s", text != NULL ? text : "a class",
             attribute != NULL ? attribute : "an attribute");
    PyErr_Clear();
}

bool class_changes_hold(char *ret_changed, size_t size)
{
    if (state.first[0] != '\0')
        snprintf(ret_changed, size, "%s, which only a new kernel puts right,", state.first);
    return state.first[0] == '\0';
}
