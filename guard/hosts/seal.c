#include "guard/hosts/seal.h"

#include "guard/audit/denials.h"
#include "guard/audit/host_data.h"
#include "guard/python/compat.h"
#include "guard/python/error.h"

#include <stdio.h>
#include <string.h>

#define OFFSET_FLAGS 168 /* of tp_flags in a PyTypeObject; compared before it is used */

/* One dict of the package, or one function. All owned. */
struct sealed {
    PyObject *object; /* dict or function */
    PyObject *copy;   /* of the dict */
    PyObject *code;   /* of the function; the others may be NULL */
    PyObject *defaults;
    PyObject *kwdefaults;
};

static struct {
    struct sealed *items;
    size_t count;
    unsigned running;
} state;

static void forget(void)
{
    for (size_t i = 0; i < state.count; i++) {
        Py_XDECREF(state.items[i].object);
        Py_XDECREF(state.items[i].copy);
        Py_XDECREF(state.items[i].code);
        Py_XDECREF(state.items[i].defaults);
        Py_XDECREF(state.items[i].kwdefaults);
    }
    state.count = 0;
}

static struct sealed *add(PyObject *object)
{
    state.items = xrealloc(state.items, (state.count + 1) * sizeof(struct sealed));
    state.items[state.count] = (struct sealed){.object = py_own(object)};
    return &state.items[state.count++];
}

static void add_function(PyObject *function)
{
    struct sealed *sealed = add(function);

    sealed->code = py_own(compat.function_code(function));
    sealed->defaults = py_own(compat.function_defaults(function));
    sealed->kwdefaults = py_own(compat.function_kwdefaults(function));
}

/* hides its copy from the collector: nobody changes it instead. */
static int add_dict(PyObject *dict, bool deeply)
{
    PyObject *copy = deeply ? host_data_copy(dict, true) : PyDict_Copy(dict);

    if (copy == NULL)
        return -1;
    if (PyObject_GC_IsTracked(copy))
        PyObject_GC_UnTrack(copy);
    add(dict)->copy = copy;
    return 0;
}

static int add_module(PyObject *dict)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (add_dict(dict, false) < 0)
        return -1;
    while (PyDict_Next(dict, &at, &name, &value)) {
        if (Py_TYPE(value) == compat.function_type)
            add_function(value);
        else if (PyUnicode_CheckExact(name) && PyDict_CheckExact(value) &&
                 PyUnicode_CompareWithASCIIString(name, "mon_disable_policy") == 0 &&
                 add_dict(value, true) < 0)
            return -1;
    }
    return 0;
}

static bool is_ours(PyObject *name)
{
    const char *text = PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;

    return text != NULL && strncmp(text, "safepyrun", 9) == 0 && (text[9] == '\0' || text[9] == '.');
}

static int remember(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *name;
    PyObject *module;
    Py_ssize_t at = 0;

    forget();
    while (PyDict_Next(modules, &at, &name, &module))
        if (is_ours(name) && PyModule_CheckExact(module) &&
            add_module(PyModule_GetDict(module)) < 0)
            return -1;
    return 0;
}

int seal_begin(void)
{
    if (state.running == 0 && remember() < 0)
        return -1;
    state.running++;
    return 0;
}

/* ---- afterwards ----------------------------------------------------------------------------- */

/* A module that was imported meanwhile is no change, nor is what Python itself notes in a module. */
static bool may_be_new(PyObject *name, PyObject *value)
{
    return PyModule_CheckExact(value) ||
           (PyUnicode_CheckExact(name) &&
            PyUnicode_CompareWithASCIIString(name, "__warningregistry__") == 0);
}

static bool dict_is_same(PyObject *dict, PyObject *copy)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;
    Py_ssize_t known = 0;

    while (PyDict_Next(dict, &at, &name, &value)) {
        PyObject *before = PyUnicode_CheckExact(name) ? PyDict_GetItemWithError(copy, name) : NULL;

        if (before == NULL ? !may_be_new(name, value) : before != value)
            return false;
        known += before != NULL;
    }
    return known == PyDict_Size(copy);
}

static bool value_is_same(PyObject *now, PyObject *before);

static bool items_are_same(PyObject *now, PyObject *before)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(now); i++)
        if (!value_is_same(PyTuple_GetItem(now, i), PyTuple_GetItem(before, i)))
            return false;
    return true;
}

/* In any order, but the very same objects: what a cell's object says about equality is not asked. */
static bool members_are_same(PyObject *now, PyObject *before)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(now); i++) {
        Py_ssize_t at = 0;

        while (at < PyTuple_Size(before) && PyTuple_GetItem(before, at) != PyTuple_GetItem(now, i))
            at++;
        if (at == PyTuple_Size(before))
            return false;
    }
    return true;
}

static bool value_is_same(PyObject *now, PyObject *before)
{
    cleanup_py PyObject *items = NULL;
    cleanup_py PyObject *items_before = NULL;

    if (now == before)
        return true;
    if (Py_TYPE(now) != Py_TYPE(before) ||
        (!PyTuple_CheckExact(now) && !PyList_CheckExact(now) && Py_TYPE(now) != &PySet_Type))
        return false;
    items = PySequence_Tuple(now);
    items_before = items != NULL ? PySequence_Tuple(before) : NULL;
    PyErr_Clear(); /* then it is not the same */
    if (items_before == NULL || PyTuple_Size(items) != PyTuple_Size(items_before))
        return false;
    return Py_TYPE(now) == &PySet_Type ? members_are_same(items, items_before)
                                       : items_are_same(items, items_before);
}

/* mon_disable_policy: a dict of sets and tuples. */
static bool policy_is_same(PyObject *dict, PyObject *copy)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(dict, &at, &name, &value)) {
        PyObject *before = PyUnicode_CheckExact(name) ? PyDict_GetItemWithError(copy, name) : NULL;

        if (before == NULL || !value_is_same(value, before))
            return false;
    }
    return PyDict_Size(dict) == PyDict_Size(copy);
}

static bool is_policy(const struct sealed *sealed)
{
    return PyDict_GetItemString(sealed->copy, "callee_suffixes") != NULL;
}

static int restore_dict(const struct sealed *sealed)
{
    cleanup_py PyObject *fresh = host_data_copy(sealed->copy, false);

    PyDict_Clear(sealed->object);
    return PyDict_Update(sealed->object, is_policy(sealed) && fresh != NULL ? fresh : sealed->copy);
}

static bool function_is_same(const struct sealed *sealed)
{
    return compat.function_code(sealed->object) == sealed->code &&
           compat.function_defaults(sealed->object) == sealed->defaults &&
           compat.function_kwdefaults(sealed->object) == sealed->kwdefaults;
}

static int restore_function(const struct sealed *sealed)
{
    PyObject *function = sealed->object;

    if (PyObject_SetAttrString(function, "__code__", sealed->code) < 0 ||
        PyObject_SetAttrString(function, "__defaults__",
                               sealed->defaults != NULL ? sealed->defaults : Py_None) < 0)
        return -1;
    return PyObject_SetAttrString(function, "__kwdefaults__",
                                  sealed->kwdefaults != NULL ? sealed->kwdefaults : Py_None);
}

/* 0: it was the same; 1: it was not, and is again; -1 with an exception. */
static int check(const struct sealed *sealed)
{
    if (sealed->copy == NULL)
        return function_is_same(sealed) ? 0 : (restore_function(sealed) == 0 ? 1 : -1);
    if (is_policy(sealed) ? policy_is_same(sealed->object, sealed->copy)
                          : dict_is_same(sealed->object, sealed->copy))
        return 0;
    return restore_dict(sealed) == 0 ? 1 : -1;
}

int seal_end(void)
{
    struct denial denial = {.rule = "interpreter ring",
                            .remedy = "everything is as it was; ask the host program instead"};
    cleanup_py PyObject *error = NULL; /* of the first that could not be put back */
    bool changed = false;

    state.running--;
    for (size_t i = 0; i < state.count; i++) {
        int outcome = check(&state.items[i]);

        if (outcome < 0 && error == NULL)
            error = error_take();
        PyErr_Clear(); /* the others are put back all the same */
        changed |= outcome > 0;
    }
    if (error != NULL) {
        error_raise(error);
        return -1;
    }
    if (!changed)
        return 0;
    snprintf(denial.reason, sizeof(denial.reason), "guarded code does not change its guard");
    return denials_raise("safepyrun.seal", "change functions of safepyrun", &denial);
}

int seal_type(PyObject *type)
{
    unsigned long flags;

    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "only a class can be sealed");
        return -1;
    }
    memcpy(&flags, (char *)type + OFFSET_FLAGS, sizeof(flags));
    if (flags != PyType_GetFlags((PyTypeObject *)type)) {
        PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot seal classes on this Python");
        return -1;
    }
    flags |= Py_TPFLAGS_IMMUTABLETYPE;
    memcpy((char *)type + OFFSET_FLAGS, &flags, sizeof(flags));
    return 0;
}
