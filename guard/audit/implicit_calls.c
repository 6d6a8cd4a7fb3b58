#include "guard/audit/implicit_calls.h"

#include "guard/audit/carriers.h"
#include "guard/audit/class_parts.h"
#include "guard/audit/codec_infos.h"
#include "guard/audit/snapshot.h"
#include "guard/audit/unchanged.h"
#include "guard/policy/verdict.h"
#include "guard/python/compat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What C code of the interpreter looks up by its name. The code of a barrier hands on to finders, loaders and the like. */
static const struct {
    const char *module;
    const char *name;
    bool is_barrier;
} places[] = {{"builtins", "__import__", false},
              {"builtins", "__build_class__", false},
              {"_frozen_importlib", "_find_and_load", true},
              {"_frozen_importlib", "_handle_fromlist", true},
              {"_frozen_importlib", "_lock_unlock_module", true},
              {"_frozen_importlib", "_find_spec", true},
              {"warnings", "_showwarnmsg", true},
              {"warnings", "WarningMessage", false},
              {"copyreg", "__reduce_ex__", false},
              {"copyreg", "__newobj__", false},
              {"copyreg", "__newobj_ex__", false},
              {"copyreg", "_slotnames", false},
              {"time", "time", false},
              {"time", "strftime", false},
              {"_strptime", "_strptime_time", false}, /* rarely loaded yet: see is_late() */
              {"_strptime", "_strptime_datetime", false},
              {"_strptime", "_strptime_datetime_date", false}, /* three from 3.14 on */
              {"_strptime", "_strptime_datetime_time", false},
              {"_strptime", "_strptime_datetime_datetime", false}};
#define PLACE_COUNT (sizeof(places) / sizeof(places[0]))

enum { RE_UNICODE = 32 }; /* re adds it to a text that is no bytes */

static struct {
    struct {
        PyObject *module; /* NULL: it was not loaded */
        PyObject *value;
        PyObject *code; /* of a function */
    } before[PLACE_COUNT];
    PyObject *generator_hooks; /* sys.get_asyncgen_hooks */
    PyObject *pattern;         /* re.Pattern */
    struct unchanged_object environment; /* os.environ */
} state;

/* ---- remembering ----------------------------------------------------------------------------- */

static PyObject *loaded(const char *module)
{
    return PyDict_GetItemString(PyImport_GetModuleDict(), module);
}

static bool is_late(size_t i)
{
    return strcmp(places[i].module, "_strptime") == 0 && loaded(places[i].module) == NULL;
}

static int remember(size_t i)
{
    PyObject *value;

    if (is_late(i))
        return 0;
    state.before[i].module = PyImport_ImportModule(places[i].module);
    if (state.before[i].module == NULL)
        return -1;
    value = PyDict_GetItemString(PyModule_GetDict(state.before[i].module), places[i].name);
    state.before[i].value = value != NULL ? py_own(value) : NULL; /* not in every version */
    if (value != NULL && class_is_function(value))
        state.before[i].code = py_own(compat.function_code(value));
    return 0;
}

static int remember_environment(void)
{
    cleanup_py PyObject *os = PyImport_ImportModule("os");
    cleanup_py PyObject *environment = os != NULL ? PyObject_GetAttrString(os, "environ") : NULL;

    return environment != NULL ? unchanged_remember(&state.environment, environment) : -1;
}

int implicit_calls_remember(void)
{
    PyObject *hooks = PySys_GetObject("get_asyncgen_hooks");
    cleanup_py PyObject *re = PyImport_ImportModule("re");

    state.pattern = re != NULL ? PyObject_GetAttrString(re, "Pattern") : NULL;
    if (state.pattern == NULL || remember_environment() < 0 || codec_infos_remember() < 0)
        return -1;
    for (size_t i = 0; i < PLACE_COUNT; i++)
        if (remember(i) < 0)
            return -1;
    state.generator_hooks = hooks != NULL ? py_own(hooks) : NULL;
    return 0;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* What has been loaded since then: a function of Python's shows itself by its frame, and what is not there is not called. */
static bool late_place_holds(size_t i)
{
    PyObject *module = loaded(places[i].module);
    PyObject *names = module != NULL && PyModule_Check(module) ? PyModule_GetDict(module) : NULL;
    bool is_plain = names != NULL && snapshot_names_are_plain(names);
    PyObject *value = is_plain ? PyDict_GetItemString(names, places[i].name) : NULL;

    return module == NULL || (is_plain && (value == NULL || class_is_function(value)));
}

static bool place_holds(size_t i)
{
    PyObject *module = state.before[i].module;
    PyObject *names = module != NULL ? PyModule_GetDict(module) : NULL;
    PyObject *now;

    if (module == NULL)
        return late_place_holds(i);
    /* The names of one module are looked through once. */
    if ((i == 0 || state.before[i - 1].module != module) && !snapshot_names_are_plain(names))
        return false;
    now = PyDict_GetItemString(names, places[i].name);
    return loaded(places[i].module) == module && now == state.before[i].value &&
           (state.before[i].code == NULL || compat.function_code(now) == state.before[i].code);
}

/* Called with the first value of a generator, and when one is thrown away. */
static bool generator_hooks_hold(void)
{
    cleanup_py PyObject *hooks =
        state.generator_hooks != NULL ? PyObject_CallNoArgs(state.generator_hooks) : NULL;
    bool hold = hooks != NULL;

    for (Py_ssize_t i = 0; hold && i < PyTuple_Size(hooks); i++)
        hold = !carriers_is_one(PyTuple_GetItem(hooks, i));
    PyErr_Clear();
    return hold;
}

/* A row is (action, message, category, module, line): a message or module that is no text is asked for match(). */
static bool filter_holds(PyObject *row)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(row); i++) {
        PyObject *part = PyTuple_GetItem(row, i);

        if (part != Py_None && !PyUnicode_CheckExact(part) && !PyLong_CheckExact(part) &&
            Py_TYPE(part) != &PyType_Type && (PyObject *)Py_TYPE(part) != state.pattern)
            return false;
    }
    return true;
}

/* The module's list, and not another object that answers. */
static bool filters_hold(void)
{
    PyObject *filters = PyDict_GetItemString(PyModule_GetDict(loaded("warnings")), "filters");
    bool hold = filters != NULL && PyList_CheckExact(filters);

    for (Py_ssize_t i = 0; hold && i < PyList_Size(filters); i++)
        hold = PyTuple_CheckExact(PyList_GetItem(filters, i)) && filter_holds(PyList_GetItem(filters, i));
    return hold;
}

static bool is_same_text(PyObject *one, PyObject *other)
{
    if (one == other)
        return true;
    if (PyUnicode_CheckExact(one) && PyUnicode_CheckExact(other))
        return PyUnicode_Compare(one, other) == 0;
    return PyBytes_CheckExact(one) && PyBytes_CheckExact(other) && PyObject_RichCompareBool(one, other, Py_EQ) == 1;
}

/* Flags in the text, "(?i)…", are the pattern's alone. */
static bool has_flags(PyObject *text)
{
    Py_ssize_t size = 0;
    const char *start = PyUnicode_CheckExact(text) ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;

    PyErr_Clear(); /* half of a character: no UTF-8 */
    if (PyBytes_CheckExact(text))
        return PyBytes_Size(text) >= 2 && memcmp(PyBytes_AsString(text), "(?", 2) == 0;
    return size >= 2 && memcmp(start, "(?", 2) == 0;
}

/* From 3.13 on the default of some functions of re is an object of a class of its own, which compares as numbers do. */
static bool is_plain_number(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    return PyLong_Check(object) &&
           PyType_GetSlot(type, Py_tp_richcompare) == PyType_GetSlot(&PyLong_Type, Py_tp_richcompare) &&
           PyType_GetSlot(type, Py_tp_hash) == PyType_GetSlot(&PyLong_Type, Py_tp_hash);
}

static bool is_same_flags(PyObject *asked, PyObject *pattern, PyObject *text)
{
    cleanup_py PyObject *flags = PyObject_GetAttrString(pattern, "flags");
    long more = flags != NULL && is_plain_number(asked) ? PyLong_AsLong(flags) ^ PyLong_AsLong(asked) : -1;

    return more == 0 || more == RE_UNICODE || (more > 0 && has_flags(text));
}

/* (type of the text, text, flags), as re has it: no other key is equal to one that a tool asks for. */
static bool pattern_holds(PyObject *key, PyObject *pattern)
{
    PyObject *type = PyTuple_CheckExact(key) && PyTuple_Size(key) == 3 ? PyTuple_GetItem(key, 0) : NULL;
    PyObject *text = type != NULL ? PyTuple_GetItem(key, 1) : NULL;
    cleanup_py PyObject *its = NULL;

    if (text == NULL || type != (PyObject *)Py_TYPE(text) || Py_TYPE(type) != &PyType_Type ||
        (PyObject *)Py_TYPE(pattern) != state.pattern)
        return false;
    its = PyObject_GetAttrString(pattern, "pattern");
    return its != NULL && is_same_text(its, text) &&
           ((type != (PyObject *)&PyUnicode_Type && type != (PyObject *)&PyBytes_Type) || is_same_flags(PyTuple_GetItem(key, 2), pattern, text));
}

bool implicit_calls_patterns_hold(void)
{
    static const char *const caches[] = {"_cache", "_cache2"}; /* the second one in later versions */
    PyObject *module = loaded("re");
    bool hold = module != NULL && PyModule_Check(module);

    for (size_t i = 0; hold && i < sizeof(caches) / sizeof(caches[0]); i++) {
        PyObject *cache = PyDict_GetItemString(PyModule_GetDict(module), caches[i]);
        PyObject *key;
        PyObject *pattern;
        Py_ssize_t at = 0;

        hold = cache == NULL ? i > 0 : PyDict_CheckExact(cache);
        while (hold && cache != NULL && PyDict_Next(cache, &at, &key, &pattern))
            hold = pattern_holds(key, pattern);
    }
    PyErr_Clear();
    return hold;
}

static bool has_no_carrier(PyObject *module, const char *name)
{
    PyObject *table = PyDict_GetItemString(PyModule_GetDict(module), name);
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    if (table == NULL || !PyDict_Check(table))
        return table == NULL;
    while (PyDict_Next(table, &at, &key, &value))
        if (carriers_is_one(value))
            return false;
    return true;
}

/* Asked for each value that goes into a database, or comes out of one. */
static bool adapters_hold(void)
{
    PyObject *module = loaded("_sqlite3");

    return module == NULL || !PyModule_Check(module) ||
           (has_no_carrier(module, "adapters") && has_no_carrier(module, "converters"));
}

/* How a value is taken apart when it is copied or pickled. */
static bool reducers_hold(void)
{
    return has_no_carrier(loaded("copyreg"), "dispatch_table");
}

/* A variable that steers programs says what it says in the C library: cells cannot set it there, and past os.environ itself
   they can, in the dict behind it. */
static bool variable_holds(PyObject *name, PyObject *value)
{
    struct facts facts = {.name = BYTES_NONE};
    struct denial denial;
    const char *real;

    if (!PyBytes_CheckExact(name) || !PyBytes_CheckExact(value))
        return false;
    facts.name = bytes_of_string(PyBytes_AsString(name));
    if (check_environment(NULL, &facts, &denial) == VERDICT_ALLOW)
        return true;
    real = getenv(PyBytes_AsString(name));
    return real != NULL && strcmp(real, PyBytes_AsString(value)) == 0;
}

/* Each start of a program looks for PATH there. */
static bool environment_holds(void)
{
    PyObject *os = loaded("os");
    PyObject *environment = state.environment.object;
    cleanup_py PyObject *space = PyObject_GenericGetDict(environment, NULL);
    PyObject *data = NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;
    bool hold = os != NULL && PyModule_Check(os) &&
                PyDict_GetItemString(PyModule_GetDict(os), "environ") == environment &&
                unchanged_holds(&state.environment) && space != NULL && PyDict_CheckExact(space);

    PyErr_Clear(); /* one without a __dict__ is none of os */
    if (hold)
        data = PyDict_GetItemString(space, "_data");
    hold = data != NULL && PyDict_CheckExact(data);
    while (hold && PyDict_Next(data, &at, &name, &value))
        hold = variable_holds(name, value);
    return hold;
}

bool implicit_calls_hold(char *ret_changed, size_t size)
{
    static const struct {
        bool (*holds)(void);
        const char *name;
    } lists[] = {{filters_hold, "warnings.filters"},
                 {generator_hooks_hold, "the hooks of asynchronous generators"},
                 {reducers_hold, "copyreg.dispatch_table"},
                 {codec_infos_hold, "a codec"},
                 {environment_holds, "os.environ"},
                 {adapters_hold, "an adapter or converter of sqlite3"}};

    if (!snapshot_names_are_plain(PyImport_GetModuleDict())) {
        snprintf(ret_changed, size, "sys.modules");
        return false;
    }
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        if (place_holds(i))
            continue;
        snprintf(ret_changed, size, "%s.%s", places[i].module, places[i].name);
        return false;
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (lists[i].holds())
            continue;
        snprintf(ret_changed, size, "%s", lists[i].name);
        return false;
    }
    return true;
}

bool implicit_calls_are_barrier(PyObject *code)
{
    for (size_t i = 0; i < PLACE_COUNT; i++)
        if (places[i].is_barrier && code == state.before[i].code)
            return true;
    return false;
}
