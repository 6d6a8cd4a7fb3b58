#include "guard/setup.h"

#include "guard/audit/tools.h"
#include "guard/python/py_cleanup.h"
#include "guard/tools/outside.h"

#include <string.h>

/* Where in this file a traceback was last; 0 for nowhere. */
static long line_in(PyObject *traceback, const char *path)
{
    cleanup_py PyObject *at = py_own(traceback);
    long number = 0;

    while (at != NULL && at != Py_None) {
        cleanup_py PyObject *frame = PyObject_GetAttrString(at, "tb_frame");
        cleanup_py PyObject *code = frame != NULL ? PyObject_GetAttrString(frame, "f_code") : NULL;
        cleanup_py PyObject *file =
            code != NULL ? PyObject_GetAttrString(code, "co_filename") : NULL;
        cleanup_py PyObject *here = PyObject_GetAttrString(at, "tb_lineno");
        PyObject *next = PyObject_GetAttrString(at, "tb_next");

        if (file != NULL && here != NULL && PyUnicode_Check(file) &&
            PyUnicode_CompareWithASCIIString(file, path) == 0)
            number = PyLong_AsLong(here);
        Py_DECREF(at);
        at = next;
    }
    PyErr_Clear();
    return number;
}

/* The exception that is set, as "FILE, line N: TypeError: text"; clears it. */
static char *describe_error(const char *path)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    cleanup_py PyObject *name = NULL;
    cleanup_py PyObject *text = NULL;
    cleanup_py PyObject *utf8 = NULL;
    cleanup_py PyObject *line = NULL;
    cleanup_free char *place = NULL;
    long number = 0;
    char *problem;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    /* A SyntaxError knows its line; any other error has its last step in this file. */
    if (value != NULL && PyErr_GivenExceptionMatches(value, PyExc_SyntaxError))
        line = PyObject_GetAttrString(value, "lineno");
    if (line == NULL)
        number = line_in(traceback, path);
    if (line != NULL && PyLong_Check(line))
        number = PyLong_AsLong(line);
    PyErr_Clear();
    name = value != NULL ? PyType_GetName(Py_TYPE(value)) : NULL;
    text = name != NULL ? PyUnicode_FromFormat("%U: %S", name, value) : NULL;
    utf8 = text != NULL ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    if (number > 0)
        place = xasprintf(", line %ld", number);
    problem = xasprintf("set-up file %s%s: %s", path, place != NULL ? place : "",
                        utf8 != NULL ? PyBytes_AsString(utf8) : "it failed");
    PyErr_Clear();
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return problem;
}

/* "/x/tools.py" -> "tools"; NULL for what cannot be the name of a module. */
static PyObject *module_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    size_t size = strlen(base);
    cleanup_py PyObject *name = NULL;
    cleanup_py PyObject *is_name = NULL;

    if (size < 4 || strcmp(base + size - 3, ".py") != 0)
        return NULL;
    name = PyUnicode_FromStringAndSize(base, (Py_ssize_t)size - 3);
    is_name = name != NULL ? PyObject_CallMethod(name, "isidentifier", NULL) : NULL;
    return is_name == Py_True ? py_own(name) : NULL;
}

/* A json.py of the user's must not be what every library gets for `import json`. */
static bool is_taken(PyObject *name)
{
    PyObject *standard = PySys_GetObject("stdlib_module_names");

    return PyDict_Contains(PyImport_GetModuleDict(), name) != 0 ||
           (standard != NULL && PySequence_Contains(standard, name) != 0);
}

static PyObject *read_source(const char *path)
{
    cleanup_py PyObject *io = PyImport_ImportModule("io");
    cleanup_py PyObject *file = io != NULL ? PyObject_CallMethod(io, "open_code", "s", path) : NULL;
    cleanup_py PyObject *closed = NULL;
    PyObject *source = file != NULL ? PyObject_CallMethod(file, "read", NULL) : NULL;

    if (source != NULL)
        closed = PyObject_CallMethod(file, "close", NULL);
    return source;
}

static PyObject *compile_file(const char *path)
{
    cleanup_py PyObject *builtins = PyImport_ImportModule("builtins");
    cleanup_py PyObject *source = builtins != NULL ? read_source(path) : NULL;

    if (source == NULL)
        return NULL;
    return PyObject_CallMethod(builtins, "compile", "OssiO", source, path, "exec", 0, Py_True);
}

/* The module with its file's code run in it. */
static PyObject *run_file(PyObject *name, const char *path, PyObject *code)
{
    PyObject *module = PyImport_AddModuleObject(name); /* borrowed from sys.modules */
    PyObject *space = module != NULL ? PyModule_GetDict(module) : NULL;
    PyObject *builtins = PyEval_GetBuiltins();
    cleanup_py PyObject *file = PyUnicode_DecodeFSDefault(path);
    cleanup_py PyObject *result = NULL;

    if (space == NULL || file == NULL || PyDict_SetItemString(space, "__file__", file) < 0 ||
        PyDict_SetItemString(space, "__builtins__", builtins) < 0)
        return NULL;
    result = PyEval_EvalCode(code, space, space);
    return result != NULL ? space : NULL;
}

static bool is_public(PyObject *name, PyObject *value)
{
    const char *text = PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;

    PyErr_Clear();
    return text != NULL && text[0] != '_' && !PyModule_Check(value);
}

static int take_public_names(PyObject *space, PyObject *names)
{
    PyObject *listed = PyDict_GetItemString(space, "__all__");
    cleanup_py PyObject *sequence = listed != NULL ? PySequence_List(listed) : NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (listed == NULL) {
        while (PyDict_Next(space, &at, &name, &value))
            if (is_public(name, value) && PyDict_SetItem(names, name, value) < 0)
                return -1;
        return 0;
    }
    for (Py_ssize_t i = 0; sequence != NULL && i < PyList_Size(sequence); i++) {
        name = PyList_GetItem(sequence, i);
        value = PyDict_GetItemWithError(space, name);
        if (value == NULL && !PyErr_Occurred())
            PyErr_Format(PyExc_AttributeError, "__all__ names %R, which is not there", name);
        if (value == NULL || PyDict_SetItem(names, name, value) < 0)
            return -1;
    }
    return sequence != NULL ? 0 : -1;
}

static int setup_file(const char *path, PyObject *names, char **ret_problem)
{
    cleanup_py PyObject *name = module_name(path);
    cleanup_py PyObject *code = NULL;
    PyObject *space;

    PyErr_Clear();
    if (name == NULL || is_taken(name)) {
        *ret_problem =
            xasprintf("set-up file %s: %s", path,
                      name == NULL ? "its name must be that of a module: tools.py"
                                   : "there is a module of this name already; rename it");
        return -1;
    }
    code = compile_file(path);
    if (names == NULL && code != NULL)
        return 0;
    space = code != NULL ? run_file(name, path, code) : NULL;
    if (space != NULL && outside_replace(space) == 0 && take_public_names(space, names) == 0)
        return 0;
    *ret_problem = describe_error(path);
    return -1;
}

int setup_check(const struct policy *policy, char **ret_problem)
{
    for (size_t i = 0; i < policy->setup_files.count; i++)
        if (setup_file(policy->setup_files.items[i], NULL, ret_problem) < 0)
            return -1;
    return 0;
}

/* What they print belongs to no cell: it goes to the log, before the cells' own streams exist. */
static void flush(void)
{
    static const char *const streams[] = {"stdout", "stderr"};

    for (size_t i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(streams[i]);
        cleanup_py PyObject *done =
            stream != NULL ? PyObject_CallMethod(stream, "flush", NULL) : NULL;

        PyErr_Clear();
    }
}

/* mode = "allow": what is neither a tool nor data is not there, and the user-code rules say why. */
static int hold_back(struct policy *policy, PyObject *names)
{
    cleanup_py PyObject *keys = PyDict_Keys(names);

    for (Py_ssize_t i = 0; keys != NULL && i < PyList_Size(keys); i++) {
        PyObject *key = PyList_GetItem(keys, i);
        PyObject *value = PyDict_GetItemWithError(names, key);
        const char *name = PyUnicode_AsUTF8AndSize(key, NULL);

        if (value == NULL || name == NULL)
            return -1;
        if (!PyCallable_Check(value) || tools_hold(value) || outside_is_stand_in(value))
            continue;
        string_list_add(&policy->unregistered, name);
        if (PyDict_DelItem(names, key) < 0)
            return -1;
    }
    return keys != NULL ? 0 : -1;
}

int setup_config(struct policy *policy)
{
    cleanup_py PyObject *config = PyImport_ImportModule("safepyrun._config");
    cleanup_py PyObject *path =
        config != NULL ? PyObject_CallMethod(config, "path", NULL) : NULL;
    cleanup_py PyObject *encoded = NULL;
    cleanup_py PyObject *done = NULL;

    if (path == NULL || PyUnicode_FSConverter(path, (void *)&encoded) == 0)
        return -1;
    policy_add_read_only(policy, PyBytes_AsString(encoded));
    done = PyObject_CallMethod(config, "load_for_kernel", NULL);
    return done != NULL ? 0 : -1;
}

int setup_run(struct policy *policy, PyObject *names, char **ret_problem)
{
    for (size_t i = 0; i < policy->setup_files.count; i++)
        if (setup_file(policy->setup_files.items[i], names, ret_problem) < 0)
            return -1;
    if (policy->allow_mode && hold_back(policy, names) < 0) {
        *ret_problem = describe_error("");
        return -1;
    }
    if (policy->setup_files.count > 0)
        flush();
    return 0;
}

int setup_add_globals(const struct policy *policy, PyObject *extra_globals, PyObject *names)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(extra_globals, &at, &name, &value)) {
        const char *text = PyUnicode_AsUTF8AndSize(name, NULL);

        if (text == NULL)
            return -1;
        if (policy->allow_mode && !string_list_has(&policy->allowed_globals, text))
            continue;
        if (PyDict_SetItem(names, name, value) < 0)
            return -1;
    }
    return 0;
}
