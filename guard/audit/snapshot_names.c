/* What code can reach by its names: globals, attributes of modules, imports, closures. For
 * snapshot.c. */
#include "guard/audit/snapshot_parts.h"

#include "guard/audit/class_parts.h"
#include "guard/audit/code_names.h"
#include "guard/audit/mirror.h"
#include "guard/python/compat.h"

static bool is_own(const struct snapshot *snapshot, PyObject *globals)
{
    return globals == compat.function_globals(snapshot->function);
}

PyObject *snapshot_own_name(const struct snapshot *snapshot)
{
    return PyDict_GetItemString(compat.function_globals(snapshot->function), "__name__");
}

/* An object of a class of the function's own module, or a namespace: settings, above all. */
static PyObject *settings_of(const struct snapshot *snapshot, PyObject *object)
{
    cleanup_py PyObject *module = PyObject_GetAttrString((PyObject *)Py_TYPE(object), "__module__");
    PyObject *dict = NULL;

    if ((PyObject *)Py_TYPE(object) == snapshot->namespace_type ||
        (module != NULL && PyUnicode_Check(module) && snapshot_own_name(snapshot) != NULL &&
         PyUnicode_Compare(module, snapshot_own_name(snapshot)) == 0))
        dict = PyObject_GenericGetDict(object, NULL);
    PyErr_Clear(); /* no module, no __dict__: nothing to look at */
    return dict;
}

/* name: for messages, or NULL. */
static int add_object(struct snapshot *snapshot, enum entry_kind kind, PyObject *object, PyObject *name, PyObject *dict)
{
    cleanup_py PyObject *get = PyLong_FromVoidPtr(PyType_GetSlot(Py_TYPE(object), Py_tp_getattro));
    cleanup_py PyObject *parts =
        get != NULL ? PyTuple_Pack(3, (PyObject *)Py_TYPE(object), dict != NULL ? dict : Py_None, get) : NULL;

    return parts != NULL ? snapshot_add_entry(snapshot, kind, object, name, parts) : -1;
}

int snapshot_add_settings(struct snapshot *snapshot, PyObject *object, PyObject *name, PyObject *dict)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    if (add_object(snapshot, ENTRY_OBJECT, object, name, dict) < 0)
        return -1;
    while (PyDict_Next(dict, &at, &key, &value)) {
        cleanup_py PyObject *mirror = NULL;

        /* Numbers count calls more often than they say what is done. */
        if (!PyUnicode_CheckExact(key) || value == Py_None || PyLong_CheckExact(value) ||
            PyFloat_CheckExact(value))
            continue;
        mirror = mirror_of(value);
        if (mirror == NULL || snapshot_add_entry(snapshot, ENTRY_EQUALS, dict, key, mirror) < 0)
            return -1;
    }
    return snapshot_follow_class_of(snapshot, object);
}

/* A value that code can name: `container[key]`. */
int snapshot_add_value(struct snapshot *snapshot, PyObject *container, PyObject *key,
                       PyObject *value, bool own, unsigned level)
{
    cleanup_py PyObject *settings = NULL;
    cleanup_py PyObject *mirror = NULL;

    if (class_is_function(value) || class_is_open(value)) {
        if (snapshot_add_entry(snapshot, ENTRY_IS, container, key, value) < 0)
            return -1;
        return snapshot_follow(snapshot, value, level);
    }
    if (PyModule_Check(value))
        return snapshot_add_entry(snapshot, ENTRY_IS, container, key, value);
    if (PyCallable_Check(value))
        return snapshot_add_callable(snapshot, container, key, value);
    if (!own)
        return 0; /* libraries keep state in their globals */
    settings = settings_of(snapshot, value);
    if (settings != NULL && snapshot_add_settings(snapshot, value, key, settings) < 0)
        return -1;
    mirror = mirror_of(value);
    return mirror != NULL ? snapshot_add_entry(snapshot, ENTRY_EQUALS, container, key, mirror) : -1;
}

/* What the code may take from a module: any of the attributes that it names. Text that its own
   module asks for by name (sys.executable) counts; lists and numbers of another module are its
   state. */
static int add_attributes(struct snapshot *snapshot, PyObject *module, PyObject *attributes,
                          bool own, unsigned level)
{
    PyObject *dict = PyModule_GetDict(module);
    cleanup_py PyObject *names = PySequence_List(attributes);

    for (Py_ssize_t i = 0; names != NULL && i < PyList_Size(names); i++) {
        PyObject *name = PyList_GetItem(names, i);
        PyObject *value = PyDict_GetItemWithError(dict, name);
        bool by_value =
            own && value != NULL && (PyUnicode_CheckExact(value) || PyBytes_CheckExact(value));

        if (value == NULL || PyLong_CheckExact(value))
            continue;
        if (snapshot_add_value(snapshot, dict, name, value, by_value, level) < 0)
            return -1;
        /* os.path.join: one step further. */
        if (PyModule_Check(value) && value != module && level < LEVEL_MAX &&
            add_attributes(snapshot, value, attributes, own, LEVEL_MAX) < 0)
            return -1;
    }
    return names != NULL && !PyErr_Occurred() ? 0 : -1;
}

/* New: the value, and the namespace that it is in; NULL without an exception when no class has it. On the way there, classes that could be
   given one. */
static PyObject *find_in_classes(struct snapshot *snapshot, PyObject *mro, PyObject *name, PyObject **ret_space, bool notes)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(mro); i++) {
        PyObject *base = PyTuple_GetItem(mro, i);
        cleanup_py PyObject *space = class_space((PyTypeObject *)base);
        PyObject *value = space != NULL ? PyObject_GetItem(space, name) : NULL;

        PyErr_Clear(); /* not in this one */
        if (value != NULL) {
            *ret_space = steal(space);
            return value;
        }
        if (notes && class_is_open(base) && snapshot_add_entry(snapshot, ENTRY_ABSENT, space, name, NULL) < 0)
            return NULL;
    }
    return NULL;
}

static int add_own(struct snapshot *snapshot, PyObject *dict, PyObject *name, PyObject *own)
{
    if (own == NULL)
        return snapshot_add_entry(snapshot, ENTRY_ABSENT, dict, name, NULL);
    return PyCallable_Check(own) ? snapshot_add_callable(snapshot, dict, name, own) : 0;
}

static int add_attribute(struct snapshot *snapshot, PyObject *mro, PyObject *dict, PyObject *name, unsigned level)
{
    cleanup_py PyObject *space = NULL;
    cleanup_py PyObject *value = find_in_classes(snapshot, mro, name, &space, false);
    PyObject *own = dict != NULL ? PyDict_GetItemWithError(dict, name) : NULL;

    if (own == NULL && (value == NULL || !class_attribute_runs(value)))
        return 0;
    Py_CLEAR(space);
    Py_CLEAR(value);
    value = find_in_classes(snapshot, mro, name, &space, true);
    if (PyErr_Occurred() || (dict != NULL && add_own(snapshot, dict, name, own) < 0))
        return -1;
    if (value == NULL || !class_attribute_runs(value))
        return 0;
    return class_is_function(value) ? snapshot_add_value(snapshot, space, name, value, false, level)
                                    : snapshot_add_callable(snapshot, space, name, value);
}

/* `log.info(…)`: what the code may have run by an object of a library's, by any of the attributes that it names. */
static int add_methods(struct snapshot *snapshot, PyObject *object, PyObject *name, PyObject *attributes, unsigned level)
{
    cleanup_py PyObject *names = PySequence_List(attributes);
    cleanup_py PyObject *mro = class_mro(Py_TYPE(object));
    cleanup_py PyObject *dict = PyObject_GenericGetDict(object, NULL);

    PyErr_Clear(); /* no __dict__ */
    if (names == NULL || mro == NULL || !class_is_open((PyObject *)Py_TYPE(object)))
        return names != NULL && mro != NULL ? 0 : -1;
    if (add_object(snapshot, ENTRY_WAY, object, name, dict) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PyList_Size(names); i++)
        if (add_attribute(snapshot, mro, dict, PyList_GetItem(names, i), level) < 0)
            return -1;
    return 0;
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
        if (snapshot_add_entry(snapshot, ENTRY_ABSENT, globals, name, NULL) < 0)
            return -1;
        return value != NULL ? snapshot_add_entry(snapshot, ENTRY_IS, builtins, name, value) : 0;
    }
    if (snapshot_add_value(snapshot, globals, name, value, own, own ? 0 : level) < 0)
        return -1;
    if (PyModule_Check(value))
        return add_attributes(snapshot, value, names->attributes, own, level);
    return !class_is_function(value) && !PyType_Check(value)
               ? add_methods(snapshot, value, name, names->attributes, level)
               : 0;
}

/* `import x` inside of the function: what sys.modules has then. The own module's are imported now,
   so that no cell can be the first to do it. */
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
    if (snapshot_add_entry(snapshot, ENTRY_IS, modules, name, module) < 0)
        return -1;
    return add_attributes(snapshot, module, names->attributes, own, level);
}

static int for_each(PyObject *set, PyObject **ret_list)
{
    *ret_list = PySequence_List(set);
    return *ret_list != NULL ? 0 : -1;
}

static bool is_of_re(PyObject *globals)
{
    PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "re");

    return module != NULL && PyModule_Check(module) && PyModule_GetDict(module) == globals;
}

int snapshot_add_names(struct snapshot *snapshot, PyObject *function, unsigned level)
{
    PyObject *globals = compat.function_globals(function);
    cleanup_code_names struct code_names names = {NULL, NULL, NULL};
    cleanup_py PyObject *list = NULL;
    cleanup_py PyObject *imports = NULL;

    snapshot->uses_patterns = snapshot->uses_patterns || is_of_re(globals);
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

int snapshot_add_cells(struct snapshot *snapshot, PyObject *function, unsigned level)
{
    PyObject *closure = compat.function_closure(function);
    cleanup_py PyObject *names =
        PyObject_GetAttrString(compat.function_code(function), "co_freevars");

    for (Py_ssize_t i = 0; closure != NULL && i < PyTuple_Size(closure); i++) {
        PyObject *cell = PyTuple_GetItem(closure, i);
        cleanup_py PyObject *value = compat.cell_get(cell);
        cleanup_py PyObject *mirror = value != NULL ? mirror_of(value) : NULL;

        if (names == NULL || (value != NULL && mirror == NULL))
            return -1;
        if (may_change(snapshot, function, PyTuple_GetItem(names, i)))
            continue;
        if (snapshot_add_entry(snapshot, ENTRY_CELL, cell, NULL, mirror) < 0)
            return -1;
        if (value != NULL && (class_is_function(value) || class_is_open(value)) &&
            snapshot_follow(snapshot, value, level) < 0)
            return -1;
    }
    return 0;
}
