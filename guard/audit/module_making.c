#include "guard/audit/module_making.h"

#include "guard/audit/hook.h"
#include "guard/python/compat.h"

#include <string.h>

/* What CPython's own modules and ours need below them, with much to spare. */
#define CALLS_DEEP 40

static struct {
    PyTypeObject *spec_type;
    PyObject *import;
} state;

static const struct event_row row = {.name = "safepyrun.make_module",
                                     .check = check_never,
                                     .arguments = NOTHING,
                                     .words = "make a native module while code of the cell's may run"};

int module_making_init(void)
{
    cleanup_py PyObject *bootstrap = PyImport_ImportModule("_frozen_importlib");
    cleanup_py PyObject *builtins = PyImport_ImportModule("builtins");

    if (bootstrap == NULL || builtins == NULL)
        return -1;
    state.spec_type = (PyTypeObject *)PyObject_GetAttrString(bootstrap, "ModuleSpec");
    state.import = PyObject_GetAttrString(builtins, "__import__");
    return state.spec_type != NULL && state.import != NULL ? 0 : -1;
}

/* Any other key is compared by its own __eq__, whoever looks for a name with the same hash. */
static bool has_plain_keys(PyObject *dict)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    if (dict == NULL || !PyDict_CheckExact(dict))
        return false;
    while (PyDict_Next(dict, &at, &key, &value))
        if (!PyUnicode_CheckExact(key))
            return false;
    return true;
}

static bool is_plain_module(PyObject *module)
{
    return module != NULL && Py_TYPE(module) == &PyModule_Type && has_plain_keys(PyModule_GetDict(module));
}

/* Its attributes are what its own dict says, and no code. New dict; NULL without an exception. */
static PyObject *plain_spec(PyObject *spec)
{
    static const char *const names[] = {"name", "origin", "_initializing"};
    PyObject *dict;

    if (Py_TYPE(spec) != state.spec_type ||
        PyType_GetSlot(state.spec_type, Py_tp_getattro) != (void *)PyObject_GenericGetAttr)
        return NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cleanup_py PyObject *name = PyUnicode_FromString(names[i]);

        if (name == NULL || compat.type_lookup(state.spec_type, name) != NULL)
            return NULL;
    }
    dict = PyObject_GenericGetDict(spec, NULL);
    if (!has_plain_keys(dict))
        Py_CLEAR(dict);
    return dict;
}

/* What a module's C code imports without looking: loaded already, and found without any code. */
static bool imports_quietly(const char *name)
{
    PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), name);
    PyObject *globals = PyEval_GetGlobals();
    PyObject *builtins = has_plain_keys(globals) ? PyDict_GetItemString(globals, "__builtins__") : NULL;
    PyObject *space = is_plain_module(builtins) ? PyModule_GetDict(builtins) : builtins;
    PyObject *spec = is_plain_module(module) ? PyDict_GetItemString(PyModule_GetDict(module), "__spec__") : NULL;
    cleanup_py PyObject *dict = spec != NULL ? plain_spec(spec) : NULL;

    return dict != NULL && PyDict_GetItemString(PyModule_GetDict(module), "__getattr__") == NULL && has_plain_keys(space) &&
           PyDict_GetItemString(space, "__import__") == state.import;
}

static const char *needed_by(const char *name)
{
    static const char *const pairs[][2] = {{"_sqlite3", "functools"}, {"_ssl", "_socket"}, {"_cffi_backend", "_io"}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(name, pairs[i][0]) == 0)
            return pairs[i][1];
    return NULL;
}

static bool is_deep(void)
{
    int depth = 0;

    while (depth < CALLS_DEEP && Py_EnterRecursiveCall(" while making a module") == 0)
        depth++;
    for (int i = 0; i < depth; i++)
        Py_LeaveRecursiveCall();
    return depth < CALLS_DEEP;
}

static int answer(bool is_quiet)
{
    PyErr_Clear();
    if (is_quiet || hook_judge(&row, NULL) == 0)
        return 0;
    return -1;
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? dot + 1 : name;
}

static bool is_quiet(const char *name)
{
    const char *needed = needed_by(last_part(name));
    cleanup_py PyObject *loaded = needed != NULL ? PyImport_ImportModule(needed) : NULL;

    return has_plain_keys(PyImport_GetModuleDict()) && (needed == NULL || imports_quietly(needed)) && !is_deep();
}

int module_making_ask_spec(PyObject *spec, bool (*is_guarded)(const char *name), bool *ret_guarded)
{
    cleanup_py PyObject *dict = spec != NULL ? plain_spec(spec) : NULL;
    PyObject *name = dict != NULL ? PyDict_GetItemString(dict, "name") : NULL;
    PyObject *origin = dict != NULL ? PyDict_GetItemString(dict, "origin") : NULL;
    const char *text = name != NULL && PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;

    *ret_guarded = text == NULL || is_guarded(last_part(text));
    if (text == NULL || origin == NULL || (origin != Py_None && !PyUnicode_CheckExact(origin)))
        return answer(false);
    return *ret_guarded ? answer(is_quiet(text)) : 0;
}

/* Goes without any code of a cell's when the module's C code puts its own in the place. */
static bool goes_quietly(PyObject *module, PyObject *value)
{
    if (PyCFunction_CheckExact(value))
        return PyCFunction_GetSelf(value) == module;
    return value == Py_None || PyUnicode_CheckExact(value);
}

/* As it was made, and as the import system has marked it. */
static bool is_fresh(PyObject *module)
{
    PyObject *dict = PyModule_GetDict(module);
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(dict, &at, &key, &value))
        if (PyUnicode_CompareWithASCIIString(key, "__spec__") != 0 &&
            PyUnicode_CompareWithASCIIString(key, "__loader__") != 0 && !goes_quietly(module, value))
            return false;
    return true;
}

int module_making_ask_module(PyObject *module)
{
    return answer(is_plain_module(module) && is_fresh(module) && is_quiet(PyModule_GetDef(module)->m_name));
}

struct module_making module_making_begin(void)
{
    return (struct module_making){PyGC_Disable() == 1};
}

void module_making_end(struct module_making making)
{
    if (making.collects)
        PyGC_Enable();
}
