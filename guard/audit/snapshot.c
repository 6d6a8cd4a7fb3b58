#include "guard/audit/snapshot_parts.h"

#include "guard/audit/class_parts.h"
#include "guard/audit/mirror.h"
#include "guard/link/buffer.h"
#include "guard/python/compat.h"

#include <stdio.h>
#include <string.h>

/* How much is remembered in all. */
#define ENTRIES_MAX 60000

/* ---- collecting ----------------------------------------------------------------------------- */

static int append(struct snapshot *snapshot, enum entry_kind kind, PyObject *container, PyObject *key,
                  PyObject *value)
{
    if (snapshot->count >= ENTRIES_MAX) {
        PyErr_SetString(PyExc_ValueError, "allow(): the function stands on too much code");
        return -1;
    }
    if (snapshot->count == snapshot->room) {
        snapshot->room = snapshot->room > 0 ? 2 * snapshot->room : 64;
        snapshot->entries = xrealloc(snapshot->entries, snapshot->room * sizeof(struct entry));
    }
    snapshot->entries[snapshot->count++] =
        (struct entry){kind, py_own(container), py_own(key), py_own(value)};
    return 0;
}

/* 1: it is there; 0; -1 with an exception. */
static int has(PyObject *addresses, PyObject *object)
{
    cleanup_py PyObject *address = PyLong_FromVoidPtr(object);

    return address != NULL ? PySet_Contains(addresses, address) : -1;
}

/* 1: it was there before; 0; -1 with an exception. */
static int note(PyObject *addresses, PyObject *object)
{
    cleanup_py PyObject *address = PyLong_FromVoidPtr(object);
    int known = address != NULL ? PySet_Contains(addresses, address) : -1;

    return known != 0 ? known : PySet_Add(addresses, address);
}

/* 1: all keys are exact str; 0: not so; -1 with an exception. */
static int is_plain(const struct snapshot *snapshot, PyObject *dict)
{
    int known = has(snapshot->plain, dict);

    if (known != 0 || !snapshot_names_are_plain(dict))
        return known;
    return note(snapshot->plain, dict) == 0 ? 1 : -1;
}

/* In front of what is looked up in it: a key of a cell's class could be another one each time that it is asked. */
static int add_names(struct snapshot *snapshot, PyObject *dict)
{
    int known = note(snapshot->met, dict);
    int plain = known == 0 ? is_plain(snapshot, dict) : 0;

    if (known < 0 || plain < 0)
        return -1;
    return plain ? append(snapshot, ENTRY_NAMES, dict, NULL, NULL) : 0;
}

int snapshot_add_entry(struct snapshot *snapshot, enum entry_kind kind, PyObject *container,
                       PyObject *key, PyObject *value)
{
    if (PyDict_CheckExact(container) && add_names(snapshot, container) < 0)
        return -1;
    return append(snapshot, kind, container, key, value);
}

int snapshot_add_callable(struct snapshot *snapshot, PyObject *container, PyObject *key, PyObject *value)
{
    cleanup_py PyObject *mirror = mirror_of(value);

    if (mirror == NULL)
        return -1;
    return mirror_has_content(mirror)
               ? snapshot_add_entry(snapshot, ENTRY_EQUALS, container, key, mirror)
               : snapshot_add_entry(snapshot, ENTRY_IS, container, key, value);
}

int snapshot_follow(struct snapshot *snapshot, PyObject *object, unsigned level)
{
    int known = level <= LEVEL_MAX ? has(snapshot->met, object) : 1;
    struct waiting *queue = &snapshot->queues[level <= LEVEL_MAX ? level : LEVEL_MAX];

    if (known != 0)
        return known < 0 ? -1 : 0;
    if (queue->count == queue->room) {
        queue->room = queue->room > 0 ? 2 * queue->room : 64;
        queue->objects = xrealloc(queue->objects, queue->room * sizeof(PyObject *));
    }
    queue->objects[queue->count++] = object;
    return 0;
}

int snapshot_follow_class_of(struct snapshot *snapshot, PyObject *object)
{
    PyObject *type = (PyObject *)Py_TYPE(object);

    return class_is_open(type) ? snapshot_follow(snapshot, type, 0) : 0;
}

/* (code, defaults, keyword defaults), the two as mirrors: they may hold lists. */
static PyObject *function_state(PyObject *function)
{
    PyObject *defaults = compat.function_defaults(function);
    PyObject *kwdefaults = compat.function_kwdefaults(function);
    cleanup_py PyObject *first = mirror_of(defaults != NULL ? defaults : Py_None);
    cleanup_py PyObject *second = mirror_of(kwdefaults != NULL ? kwdefaults : Py_None);

    if (first == NULL || second == NULL)
        return NULL;
    return py_hide(PyTuple_Pack(3, compat.function_code(function), first, second));
}

static int read_function(struct snapshot *snapshot, PyObject *function, unsigned level)
{
    cleanup_py PyObject *value = function_state(function);

    if (value == NULL || snapshot_add_entry(snapshot, ENTRY_FUNCTION, function, NULL, value) < 0 ||
        snapshot_add_cells(snapshot, function, level) < 0)
        return -1;
    return snapshot_add_names(snapshot, function, level);
}

/* ---- classes -------------------------------------------------------------------------------- */

static int read_member(struct snapshot *snapshot, PyObject *space, PyObject *name, PyObject *value,
                       bool own, unsigned level)
{
    PyObject *parts[3];
    bool is_wrapper = false;

    class_unwrap(value, parts);
    for (size_t i = 0; i < 3; i++) {
        is_wrapper = is_wrapper || parts[i] != NULL;
        if (parts[i] != NULL && class_is_function(parts[i]) &&
            snapshot_follow(snapshot, parts[i], level) < 0)
            return -1;
    }
    if (!is_wrapper && !PyCallable_Check(value))
        return own ? snapshot_add_value(snapshot, space, name, value, own, level) : 0;
    if (class_is_function(value))
        return snapshot_add_value(snapshot, space, name, value, own, level);
    return snapshot_add_callable(snapshot, space, name, value);
}

static bool is_dunder(PyObject *name)
{
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);

    return text != NULL && strncmp(text, "__", 2) == 0;
}

static int read_class(struct snapshot *snapshot, PyObject *type, unsigned level)
{
    cleanup_py PyObject *space = class_space((PyTypeObject *)type);
    cleanup_py PyObject *module = PyObject_GetAttrString(type, "__module__");
    cleanup_py PyObject *names = space != NULL ? py_hide(PyMapping_Keys(space)) : NULL;
    cleanup_py PyObject *bases = PyObject_GetAttrString(type, "__bases__");
    bool own = module != NULL && snapshot_own_name(snapshot) != NULL && PyUnicode_Check(module) &&
               PyUnicode_Compare(module, snapshot_own_name(snapshot)) == 0;

    PyErr_Clear();
    if (names == NULL || bases == NULL)
        return 0;
    for (Py_ssize_t i = 0; i < PyList_Size(names); i++) {
        PyObject *name = PyList_GetItem(names, i);
        cleanup_py PyObject *value = PyObject_GetItem(space, name);

        if (value == NULL || !PyUnicode_CheckExact(name))
            return -1;
        /* __doc__, __dict__, __abstractmethods__ … */
        if (is_dunder(name) && !class_is_function(value))
            continue;
        if (read_member(snapshot, space, name, value, own, level) < 0)
            return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_Size(bases); i++)
        if (class_is_open(PyTuple_GetItem(bases, i)) &&
            snapshot_follow(snapshot, PyTuple_GetItem(bases, i), level) < 0)
            return -1;
    return snapshot_add_entry(snapshot, ENTRY_KEYS, space, NULL, names);
}

/* The nearest first: what was met at the end of a long way would not be followed any further. */
static int drain(struct snapshot *snapshot)
{
    unsigned level = 0;

    while (level <= LEVEL_MAX) {
        struct waiting *queue = &snapshot->queues[level];
        PyObject *object = queue->count > 0 ? queue->objects[--queue->count] : NULL;
        int known = object != NULL ? note(snapshot->met, object) : 1;

        if (known < 0 || (known == 0 && (PyType_Check(object) ? read_class(snapshot, object, level + 1)
                                                              : read_function(snapshot, object, level)) < 0))
            return -1;
        level = object != NULL ? 0 : level + 1;
    }
    return 0;
}

/* ---- making --------------------------------------------------------------------------------- */

static int follow_policy(struct snapshot *snapshot, PyObject *callable)
{
    cleanup_py PyObject *settings = NULL;

    if (class_is_function(callable))
        return snapshot_follow(snapshot, callable, 0);
    settings = PyObject_GenericGetDict(callable, NULL);
    PyErr_Clear(); /* without a __dict__ there is nothing to change */
    if (settings != NULL)
        return snapshot_add_settings(snapshot, callable, NULL, settings);
    return snapshot_follow_class_of(snapshot, callable);
}

/* Empties the queue that `result` stands for, unless there was an error. */
static int finish_adding(struct snapshot *snapshot, int result)
{
    if (result == 0)
        result = drain(snapshot);
    Py_CLEAR(snapshot->met);
    for (unsigned level = 0; level <= LEVEL_MAX; level++) {
        free(snapshot->queues[level].objects);
        snapshot->queues[level] = (struct waiting){NULL, 0, 0};
    }
    return result;
}

int snapshot_add(struct snapshot *snapshot, PyObject *callable)
{
    snapshot->met = PySet_New(NULL);
    if (snapshot->met == NULL)
        return -1;
    return finish_adding(snapshot, follow_policy(snapshot, callable));
}

int snapshot_add_class(struct snapshot *snapshot, PyObject *type)
{
    if (!class_is_open(type))
        return 0;
    snapshot->met = PySet_New(NULL);
    if (snapshot->met == NULL)
        return -1;
    return finish_adding(snapshot, snapshot_follow(snapshot, type, 0));
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (size_t i = 0; i < snapshot->count; i++) {
        Py_XDECREF(snapshot->entries[i].container);
        Py_XDECREF(snapshot->entries[i].key);
        Py_XDECREF(snapshot->entries[i].value);
    }
    Py_XDECREF(snapshot->namespace_type);
    Py_XDECREF(snapshot->function);
    Py_XDECREF(snapshot->may_change);
    Py_XDECREF(snapshot->plain);
    free(snapshot->entries);
    free(snapshot);
}

struct snapshot *snapshot_new(PyObject *function, PyObject *may_change, PyObject *plain)
{
    struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));
    cleanup_py PyObject *types = PyImport_ImportModule("types");

    snapshot->function = py_own(function);
    snapshot->may_change = py_own(may_change);
    snapshot->plain = py_own(plain);
    if (types != NULL)
        snapshot->namespace_type = PyObject_GetAttrString(types, "SimpleNamespace");
    if (snapshot->namespace_type != NULL && snapshot_add(snapshot, function) == 0)
        return snapshot;
    snapshot_free(snapshot);
    return NULL;
}
