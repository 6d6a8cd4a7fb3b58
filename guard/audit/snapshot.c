#include "guard/audit/snapshot_parts.h"

#include "guard/audit/code_names.h"
#include "guard/audit/mirror.h"
#include "guard/link/buffer.h"
#include "guard/python/compat.h"

#include <stdio.h>
#include <string.h>

/* How far code of libraries is followed from the function's own module, and how much in all. */
#define LEVEL_MAX 6
#define ENTRIES_MAX 60000

/* In `types`; the limited API has no names for them. */
enum { TYPE_FUNCTION, TYPE_CELL, TYPE_CLASSMETHOD, TYPE_STATICMETHOD, TYPE_NAMESPACE };

/* ---- collecting ----------------------------------------------------------------------------- */

static int add_entry(struct snapshot *snapshot, enum entry_kind kind, PyObject *container,
                     PyObject *key, PyObject *value)
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

/* Functions and classes are followed once. */
static int follow(struct snapshot *snapshot, PyObject *object, unsigned level)
{
    cleanup_py PyObject *address = PyLong_FromVoidPtr(object);
    int known = address != NULL ? PySet_Contains(snapshot->met, address) : -1;

    if (known != 0 || level > LEVEL_MAX)
        return known < 0 ? -1 : 0;
    if (snapshot->queued == snapshot->queue_room) {
        snapshot->queue_room = snapshot->queue_room > 0 ? 2 * snapshot->queue_room : 64;
        snapshot->queue =
            xrealloc(snapshot->queue, snapshot->queue_room * sizeof(struct waiting));
    }
    snapshot->queue[snapshot->queued++] = (struct waiting){object, level};
    return PySet_Add(snapshot->met, address);
}

static bool is_of(const struct snapshot *snapshot, PyObject *object, int type)
{
    return (PyObject *)Py_TYPE(object) == snapshot->types[type];
}

/* A class that can be changed. */
static bool is_open_class(PyObject *object)
{
    unsigned long flags = PyType_Check(object) ? PyType_GetFlags((PyTypeObject *)object) : 0;

    return (flags & Py_TPFLAGS_HEAPTYPE) != 0 && (flags & Py_TPFLAGS_IMMUTABLETYPE) == 0;
}

static bool is_own(const struct snapshot *snapshot, PyObject *globals)
{
    return globals == compat.function_globals(snapshot->function);
}

static PyObject *own_name(const struct snapshot *snapshot)
{
    return PyDict_GetItemString(compat.function_globals(snapshot->function), "__name__");
}

/* An object of a class of the function's own module, or a namespace: settings, above all. */
static PyObject *settings_of(const struct snapshot *snapshot, PyObject *object)
{
    cleanup_py PyObject *module = PyObject_GetAttrString((PyObject *)Py_TYPE(object), "__module__");
    PyObject *dict = NULL;

    if (is_of(snapshot, object, TYPE_NAMESPACE) ||
        (module != NULL && PyUnicode_Check(module) && own_name(snapshot) != NULL &&
         PyUnicode_Compare(module, own_name(snapshot)) == 0))
        dict = PyObject_GenericGetDict(object, NULL);
    PyErr_Clear(); /* no module, no __dict__: nothing to look at */
    return dict;
}

static int add_settings(struct snapshot *snapshot, PyObject *dict)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(dict, &at, &key, &value)) {
        cleanup_py PyObject *mirror = NULL;

        /* Numbers count calls more often than they say what is done. */
        if (!PyUnicode_CheckExact(key) || value == Py_None || PyLong_CheckExact(value) ||
            PyFloat_CheckExact(value))
            continue;
        mirror = mirror_of(value);
        if (mirror == NULL || add_entry(snapshot, ENTRY_EQUALS, dict, key, mirror) < 0)
            return -1;
    }
    return 0;
}

/* A value that code can name: `container[key]`. */
static int add_value(struct snapshot *snapshot, PyObject *container, PyObject *key,
                     PyObject *value, bool own, unsigned level)
{
    cleanup_py PyObject *settings = NULL;
    cleanup_py PyObject *mirror = NULL;

    if (is_of(snapshot, value, TYPE_FUNCTION) || is_open_class(value)) {
        if (add_entry(snapshot, ENTRY_IS, container, key, value) < 0)
            return -1;
        return follow(snapshot, value, level);
    }
    if (PyModule_Check(value) || PyCallable_Check(value))
        return add_entry(snapshot, ENTRY_IS, container, key, value);
    if (!own)
        return 0; /* libraries keep state in their globals */
    settings = settings_of(snapshot, value);
    if (settings != NULL && add_settings(snapshot, settings) < 0)
        return -1;
    mirror = mirror_of(value);
    return mirror != NULL ? add_entry(snapshot, ENTRY_EQUALS, container, key, mirror) : -1;
}

/* What the code may take from a module: any of the attributes that it names. Text that its own module
   asks for by name (sys.executable) counts; lists and numbers of another module are its state. */
static int add_attributes(struct snapshot *snapshot, PyObject *module, PyObject *attributes,
                          bool own, unsigned level)
{
    PyObject *dict = PyModule_GetDict(module);
    cleanup_py PyObject *names = PySequence_List(attributes);

    for (Py_ssize_t i = 0; names != NULL && i < PyList_Size(names); i++) {
        PyObject *name = PyList_GetItem(names, i);
        PyObject *value = PyDict_GetItemWithError(dict, name);
        bool by_value = own && value != NULL && (PyUnicode_CheckExact(value) || PyBytes_CheckExact(value));

        if (value == NULL || PyLong_CheckExact(value))
            continue;
        if (add_value(snapshot, dict, name, value, by_value, level) < 0)
            return -1;
        /* os.path.join: one step further. */
        if (PyModule_Check(value) && value != module && level < LEVEL_MAX &&
            add_attributes(snapshot, value, attributes, own, LEVEL_MAX) < 0)
            return -1;
    }
    return names != NULL && !PyErr_Occurred() ? 0 : -1;
}

static PyObject *builtins_of(PyObject *globals)
{
    PyObject *builtins = PyDict_GetItemString(globals, "__builtins__");

    if (builtins == NULL)
        return PyEval_GetBuiltins();
    return PyModule_Check(builtins) ? PyModule_GetDict(builtins) : builtins;
}

/* What the functions of the tool's own module change themselves. */
static bool may_change(const struct snapshot *snapshot, PyObject *function, PyObject *name)
{
    return snapshot->may_change != NULL && is_own(snapshot, compat.function_globals(function)) &&
           PySequence_Contains(snapshot->may_change, name) == 1;
}

static int add_global(struct snapshot *snapshot, PyObject *function, PyObject *name,
                      const struct code_names *names, unsigned level)
{
    PyObject *globals = compat.function_globals(function);
    PyObject *builtins = builtins_of(globals);
    PyObject *value = PyDict_GetItemWithError(globals, name);
    bool own = is_own(snapshot, globals);

    if (may_change(snapshot, function, name))
        return 0;
    if (value == NULL) {
        value = PyDict_GetItemWithError(builtins, name);
        if (add_entry(snapshot, ENTRY_ABSENT, globals, name, NULL) < 0)
            return -1;
        return value != NULL ? add_entry(snapshot, ENTRY_IS, builtins, name, value) : 0;
    }
    if (add_value(snapshot, globals, name, value, own, own ? 0 : level) < 0)
        return -1;
    return PyModule_Check(value) ? add_attributes(snapshot, value, names->attributes, own, level) : 0;
}

/* `import x` inside of the function: what sys.modules has then. The own module's are imported now, so
   that no cell can be the first to do it. */
static int add_import(struct snapshot *snapshot, PyObject *name, bool own,
                      const struct code_names *names, unsigned level)
{
    PyObject *modules = PyImport_GetModuleDict();
    cleanup_py PyObject *imported = own ? PyImport_Import(name) : NULL;
    PyObject *module;

    PyErr_Clear(); /* relative, or not installed: then it will not be there later either */
    module = PyDict_GetItemWithError(modules, name);
    if (module == NULL || !PyModule_Check(module))
        return 0;
    if (add_entry(snapshot, ENTRY_IS, modules, name, module) < 0)
        return -1;
    return add_attributes(snapshot, module, names->attributes, own, level);
}

static int for_each(PyObject *set, PyObject **ret_list)
{
    *ret_list = PySequence_List(set);
    return *ret_list != NULL ? 0 : -1;
}

static int add_names(struct snapshot *snapshot, PyObject *function, unsigned level)
{
    PyObject *globals = compat.function_globals(function);
    cleanup_code_names struct code_names names = {NULL, NULL, NULL};
    cleanup_py PyObject *list = NULL;
    cleanup_py PyObject *imports = NULL;

    if (code_names_read(compat.function_code(function), &names) < 0 ||
        for_each(names.globals, &list) < 0 || for_each(names.imports, &imports) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++)
        if (add_global(snapshot, function, PyList_GetItem(list, i), &names, level + 1) < 0)
            return -1;
    for (Py_ssize_t i = 0; i < PyList_Size(imports); i++)
        if (add_import(snapshot, PyList_GetItem(imports, i), is_own(snapshot, globals), &names,
                       level + 1) < 0)
            return -1;
    return 0;
}

static int add_cells(struct snapshot *snapshot, PyObject *function, unsigned level)
{
    PyObject *closure = compat.function_closure(function);
    cleanup_py PyObject *names =
        PyObject_GetAttrString(compat.function_code(function), "co_freevars");

    for (Py_ssize_t i = 0; closure != NULL && i < PyTuple_Size(closure); i++) {
        PyObject *cell = PyTuple_GetItem(closure, i);
        cleanup_py PyObject *value = compat.cell_get(cell);
        cleanup_py PyObject *mirror = value != NULL ? mirror_of(value) : NULL;

        if (names == NULL || may_change(snapshot, function, PyTuple_GetItem(names, i)))
            continue;
        if (add_entry(snapshot, ENTRY_CELL, cell, NULL, mirror) < 0)
            return -1;
        if (value != NULL && (is_of(snapshot, value, TYPE_FUNCTION) || is_open_class(value)) &&
            follow(snapshot, value, level) < 0)
            return -1;
    }
    return 0;
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
    return PyTuple_Pack(3, compat.function_code(function), first, second);
}

static int read_function(struct snapshot *snapshot, PyObject *function, unsigned level)
{
    cleanup_py PyObject *value = function_state(function);

    if (value == NULL || add_entry(snapshot, ENTRY_FUNCTION, function, NULL, value) < 0 ||
        add_cells(snapshot, function, level) < 0)
        return -1;
    return add_names(snapshot, function, level);
}

/* ---- classes -------------------------------------------------------------------------------- */

static int follow_part(struct snapshot *snapshot, PyObject *object, const char *part,
                       unsigned level)
{
    cleanup_py PyObject *function = PyObject_GetAttrString(object, part);

    if (function == NULL)
        PyErr_Clear();
    if (function == NULL || !is_of(snapshot, function, TYPE_FUNCTION))
        return 0;
    return follow(snapshot, function, level);
}

static int read_member(struct snapshot *snapshot, PyObject *space, PyObject *name, PyObject *value,
                       bool own, unsigned level)
{
    if (is_of(snapshot, value, TYPE_CLASSMETHOD) || is_of(snapshot, value, TYPE_STATICMETHOD)) {
        if (follow_part(snapshot, value, "__func__", level) < 0)
            return -1;
    } else if ((PyObject *)Py_TYPE(value) == (PyObject *)&PyProperty_Type) {
        if (follow_part(snapshot, value, "fget", level) < 0 ||
            follow_part(snapshot, value, "fset", level) < 0)
            return -1;
    } else if (!PyCallable_Check(value)) {
        return own ? add_value(snapshot, space, name, value, own, level) : 0;
    }
    if (is_of(snapshot, value, TYPE_FUNCTION))
        return add_value(snapshot, space, name, value, own, level);
    return add_entry(snapshot, ENTRY_IS, space, name, value);
}

static bool is_dunder(PyObject *name)
{
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);

    return text != NULL && strncmp(text, "__", 2) == 0;
}

static int read_class(struct snapshot *snapshot, PyObject *type, unsigned level)
{
    cleanup_py PyObject *space = PyObject_GetAttrString(type, "__dict__");
    cleanup_py PyObject *module = PyObject_GetAttrString(type, "__module__");
    cleanup_py PyObject *names = space != NULL ? PyMapping_Keys(space) : NULL;
    cleanup_py PyObject *bases = PyObject_GetAttrString(type, "__bases__");
    bool own = module != NULL && own_name(snapshot) != NULL && PyUnicode_Check(module) &&
               PyUnicode_Compare(module, own_name(snapshot)) == 0;

    PyErr_Clear();
    if (names == NULL || bases == NULL)
        return 0;
    for (Py_ssize_t i = 0; i < PyList_Size(names); i++) {
        PyObject *name = PyList_GetItem(names, i);
        cleanup_py PyObject *value = PyObject_GetItem(space, name);

        if (value == NULL || !PyUnicode_CheckExact(name))
            return -1;
        /* __doc__, __dict__, __abstractmethods__ … */
        if (is_dunder(name) && !is_of(snapshot, value, TYPE_FUNCTION))
            continue;
        if (read_member(snapshot, space, name, value, own, level) < 0)
            return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_Size(bases); i++)
        if (is_open_class(PyTuple_GetItem(bases, i)) &&
            follow(snapshot, PyTuple_GetItem(bases, i), level) < 0)
            return -1;
    return add_entry(snapshot, ENTRY_KEYS, space, NULL, names);
}

static int drain(struct snapshot *snapshot)
{
    while (snapshot->queued > 0) {
        struct waiting next = snapshot->queue[--snapshot->queued];
        int result = PyType_Check(next.object) ? read_class(snapshot, next.object, next.level + 1)
                                               : read_function(snapshot, next.object, next.level);

        if (result < 0)
            return -1;
    }
    return 0;
}

/* ---- making --------------------------------------------------------------------------------- */

static int find_types(struct snapshot *snapshot)
{
    static const char *const names[][2] = {{"types", "FunctionType"},
                                           {"types", "CellType"},
                                           {"builtins", "classmethod"},
                                           {"builtins", "staticmethod"},
                                           {"types", "SimpleNamespace"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cleanup_py PyObject *module = PyImport_ImportModule(names[i][0]);

        snapshot->types[i] = module != NULL ? PyObject_GetAttrString(module, names[i][1]) : NULL;
        if (snapshot->types[i] == NULL)
            return -1;
    }
    return 0;
}

static int follow_policy(struct snapshot *snapshot, PyObject *callable)
{
    cleanup_py PyObject *settings = NULL;

    if (is_of(snapshot, callable, TYPE_FUNCTION))
        return follow(snapshot, callable, 0);
    settings = PyObject_GenericGetDict(callable, NULL);
    PyErr_Clear(); /* without a __dict__ there is nothing to change */
    if (settings != NULL && add_settings(snapshot, settings) < 0)
        return -1;
    return is_open_class((PyObject *)Py_TYPE(callable))
               ? follow(snapshot, (PyObject *)Py_TYPE(callable), 0)
               : 0;
}

/* Empties the queue that `result` stands for, unless there was an error. */
static int finish_adding(struct snapshot *snapshot, int result)
{
    if (result == 0)
        result = drain(snapshot);
    Py_CLEAR(snapshot->met);
    free(steal(snapshot->queue));
    snapshot->queued = snapshot->queue_room = 0;
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
    if (!is_open_class(type))
        return 0;
    snapshot->met = PySet_New(NULL);
    if (snapshot->met == NULL)
        return -1;
    return finish_adding(snapshot, follow(snapshot, type, 0));
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
    for (size_t i = 0; i < sizeof(snapshot->types) / sizeof(snapshot->types[0]); i++)
        Py_XDECREF(snapshot->types[i]);
    Py_XDECREF(snapshot->function);
    Py_XDECREF(snapshot->may_change);
    free(snapshot->entries);
    free(snapshot);
}

struct snapshot *snapshot_new(PyObject *function, PyObject *may_change)
{
    struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));

    snapshot->function = py_own(function);
    snapshot->may_change = py_own(may_change);
    if (find_types(snapshot) == 0 && snapshot_add(snapshot, function) == 0)
        return snapshot;
    snapshot_free(snapshot);
    return NULL;
}
