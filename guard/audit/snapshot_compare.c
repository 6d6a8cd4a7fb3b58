/* Is everything as the snapshot says? snapshot.c has made it. */
#include "guard/audit/snapshot_parts.h"

#include "guard/audit/class_parts.h"
#include "guard/audit/implicit_calls.h"
#include "guard/audit/mirror.h"
#include "guard/python/compat.h"

#include <stdio.h>

/* New; NULL when it is not there. */
static PyObject *look_up(const struct entry *entry)
{
    PyObject *value;

    if (PyDict_CheckExact(entry->container))
        return py_own(PyDict_GetItemWithError(entry->container, entry->key));
    value = PyObject_GetItem(entry->container, entry->key);
    if (value == NULL)
        PyErr_Clear(); /* taken away */
    return value;
}

bool snapshot_names_are_plain(PyObject *dict)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(dict, &at, &name, &value))
        if (!PyUnicode_CheckExact(name))
            return false;
    return true;
}

static bool way_holds(PyObject *object, PyObject *parts)
{
    cleanup_py PyObject *dict = PyObject_GenericGetDict(object, NULL);
    void *get = PyType_GetSlot(Py_TYPE(object), Py_tp_getattro);

    PyErr_Clear(); /* no __dict__ */
    return (dict != NULL ? dict : Py_None) == PyTuple_GetItem(parts, 1) &&
           (PyObject *)Py_TYPE(object) == PyTuple_GetItem(parts, 0) &&
           get == PyLong_AsVoidPtr(PyTuple_GetItem(parts, 2));
}

/* A name of this object leads to what is in its __dict__, and nowhere else. */
static bool object_holds(PyObject *object, PyObject *parts)
{
    PyObject *dict = PyTuple_GetItem(parts, 1);
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (!way_holds(object, parts) || !PyDict_Check(dict) || !snapshot_names_are_plain(dict))
        return false;
    while (PyDict_Next(dict, &at, &name, &value))
        if (class_hides(Py_TYPE(object), name))
            return false;
    return true;
}

static bool function_holds(PyObject *function, PyObject *state)
{
    PyObject *defaults = compat.function_defaults(function);
    PyObject *kwdefaults = compat.function_kwdefaults(function);

    return compat.function_code(function) == PyTuple_GetItem(state, 0) &&
           mirror_equals(PyTuple_GetItem(state, 1), defaults != NULL ? defaults : Py_None) &&
           mirror_equals(PyTuple_GetItem(state, 2), kwdefaults != NULL ? kwdefaults : Py_None);
}

static bool cell_holds(PyObject *cell, PyObject *mirror)
{
    cleanup_py PyObject *value = compat.cell_get(cell);

    if (value == NULL || mirror == NULL)
        return value == NULL && mirror == NULL;
    return mirror_equals(mirror, value);
}

/* Caches and annotations come and go; what can be called, or stands in for a value, does not. */
static bool may_be_added(PyObject *value)
{
    return PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyDict_CheckExact(value) ||
           PyTuple_CheckExact(value) || PyBool_Check(value) || value == Py_None;
}

static bool keys_hold(PyObject *space, PyObject *names)
{
    cleanup_py PyObject *now = NULL;

    if (PyMapping_Size(space) <= PyList_Size(names))
        return true;
    now = PyMapping_Keys(space);
    for (Py_ssize_t i = 0; now != NULL && i < PyList_Size(now); i++) {
        PyObject *name = PyList_GetItem(now, i);
        cleanup_py PyObject *value = NULL;
        int known = PyUnicode_CheckExact(name) ? PySequence_Contains(names, name) : -1;

        if (known == 1)
            continue;
        value = known == 0 ? PyObject_GetItem(space, name) : NULL;
        if (value == NULL || !may_be_added(value))
            return false;
    }
    return now != NULL;
}

static bool entry_holds(const struct entry *entry)
{
    cleanup_py PyObject *value = NULL;

    switch (entry->kind) {
    case ENTRY_FUNCTION:
        return function_holds(entry->container, entry->value);
    case ENTRY_CELL:
        return cell_holds(entry->container, entry->value);
    case ENTRY_KEYS:
        return keys_hold(entry->container, entry->value);
    case ENTRY_NAMES:
        return snapshot_names_are_plain(entry->container);
    case ENTRY_WAY:
        return way_holds(entry->container, entry->value);
    case ENTRY_OBJECT:
        return object_holds(entry->container, entry->value);
    case ENTRY_IS:
    case ENTRY_EQUALS:
    case ENTRY_ABSENT:
        break;
    }
    value = look_up(entry);
    if (entry->kind == ENTRY_IS)
        return value == entry->value;
    if (entry->kind == ENTRY_ABSENT)
        return value == NULL;
    return value != NULL && mirror_equals(entry->value, value);
}

/* "tools.COMMAND", "helper()": for a message. */
static void name_entry(const struct entry *entry, char text[SNAPSHOT_NAME])
{
    PyObject *module = PyDict_CheckExact(entry->container) && entry->kind != ENTRY_NAMES
                           ? PyDict_GetItemString(entry->container, "__name__")
                           : NULL;
    cleanup_py PyObject *name = NULL;
    const char *key = entry->key != NULL ? PyUnicode_AsUTF8AndSize(entry->key, NULL) : NULL;
    const char *owner = module != NULL && PyUnicode_CheckExact(module)
                            ? PyUnicode_AsUTF8AndSize(module, NULL)
                            : NULL;

    if (entry->kind == ENTRY_FUNCTION) {
        name = PyObject_GetAttrString(entry->container, "__name__");
        key = name != NULL && PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    }
    snprintf(text, SNAPSHOT_NAME, "%.80s%s%.80s", owner != NULL ? owner : "",
             owner != NULL && key != NULL ? "." : "",
             key != NULL                         ? key
             : entry->kind == ENTRY_NAMES ? "a namespace, in which a name is no plain text,"
             : entry->kind == ENTRY_OBJECT ? "its policy"
                                           : "a value that it closes over");
    PyErr_Clear();
}

/* Code objects among the constants of another, whatever their depth. */
static bool makes_code(PyObject *outer, PyObject *code)
{
    cleanup_py PyObject *constants = PyObject_GetAttrString(outer, "co_consts");
    bool found = outer == code;

    for (Py_ssize_t i = 0; constants != NULL && !found && i < PyTuple_Size(constants); i++) {
        PyObject *constant = PyTuple_GetItem(constants, i);

        found = Py_TYPE(constant) == Py_TYPE(outer) && makes_code(constant, code);
    }
    return found;
}

bool snapshot_names_code(const struct snapshot *snapshot, PyObject *code)
{
    for (size_t i = 0; i < snapshot->count; i++)
        if (snapshot->entries[i].kind == ENTRY_FUNCTION &&
            makes_code(PyTuple_GetItem(snapshot->entries[i].value, 0), code))
            return true;
    return false;
}

bool snapshot_has_code(const struct snapshot *snapshot, PyObject *code)
{
    for (size_t i = 0; i < snapshot->count; i++)
        if (snapshot->entries[i].kind == ENTRY_FUNCTION && PyTuple_GetItem(snapshot->entries[i].value, 0) == code)
            return true;
    return false;
}

bool snapshot_holds(const struct snapshot *snapshot, char ret_changed[SNAPSHOT_NAME])
{
    for (size_t i = 0; i < snapshot->count; i++) {
        if (entry_holds(&snapshot->entries[i]))
            continue;
        PyErr_Clear(); /* whatever it was: it does not hold */
        name_entry(&snapshot->entries[i], ret_changed);
        return false;
    }
    if (!snapshot->uses_patterns || implicit_calls_patterns_hold())
        return true;
    snprintf(ret_changed, SNAPSHOT_NAME, "the cache of re");
    return false;
}

static bool fits(PyObject *locals, PyObject *name, PyObject *cell)
{
    cleanup_py PyObject *expected = compat.cell_get(cell);
    cleanup_py PyObject *found = PyObject_GetItem(locals, name);

    return found == expected; /* both NULL: an empty cell */
}

bool snapshot_fits_closure(const struct snapshot *snapshot, PyFrameObject *frame)
{
    PyObject *closure = compat.function_closure(snapshot->function);
    PyObject *code = compat.function_code(snapshot->function);
    cleanup_py PyObject *names = NULL;
    cleanup_py PyObject *locals = NULL;
    bool result = true;

    if (closure == NULL)
        return true;
    names = PyObject_GetAttrString(code, "co_freevars");
    locals = compat.frame_locals((PyObject *)frame);
    result = names != NULL && locals != NULL && PyTuple_Size(names) == PyTuple_Size(closure);
    for (Py_ssize_t i = 0; result && i < PyTuple_Size(closure); i++)
        result = fits(locals, PyTuple_GetItem(names, i), PyTuple_GetItem(closure, i));
    PyErr_Clear(); /* a KeyError for an empty cell */
    return result;
}
