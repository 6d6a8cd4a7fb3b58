#include "guard/audit/policy_file.h"

#include "guard/python/py_cleanup.h"

enum { LIST_MAX = 1000 }; /* entries of one list in a policy file */

/* Parses with tomllib; a new dict, or NULL with the problem in words ("… (at line 3, column 5)"). */
static PyObject *parse(struct bytes text, const char *name, char **ret_problem)
{
    cleanup_py PyObject *module = PyImport_ImportModule("tomllib");
    cleanup_py PyObject *string =
        PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.size, "strict");
    PyObject *table = NULL;
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    cleanup_py PyObject *words = NULL;
    const char *utf8 = NULL;

    if (module != NULL && string != NULL)
        table = PyObject_CallMethod(module, "loads", "O", string);
    if (table != NULL)
        return table;
    PyErr_Fetch(&type, &value, &traceback);
    words = value != NULL ? PyObject_Str(value) : NULL;
    utf8 = words != NULL ? PyUnicode_AsUTF8AndSize(words, NULL) : NULL;
    *ret_problem = xasprintf("policy file %s: %s", name, utf8 != NULL ? utf8 : "not TOML in UTF-8");
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    PyErr_Clear();
    return NULL;
}

static const char *text_of(PyObject *value)
{
    Py_ssize_t size;
    const char *text = PyUnicode_CheckExact(value) ? PyUnicode_AsUTF8AndSize(value, &size) : NULL;

    if (text == NULL || strlen(text) != (size_t)size) {
        PyErr_Clear();
        return NULL; /* a NUL inside a path or a name means nothing */
    }
    return text;
}

/* Fills `strings` with borrowed texts. Returns false for anything but a list of strings. */
static bool read_strings(PyObject *list, const char *strings[LIST_MAX], size_t *ret_count)
{
    Py_ssize_t count = PyList_Size(list);

    if (count > LIST_MAX)
        return false;
    for (Py_ssize_t i = 0; i < count; i++) {
        strings[i] = text_of(PyList_GetItem(list, i));
        if (strings[i] == NULL)
            return false;
    }
    *ret_count = (size_t)count;
    return true;
}

/* Returns 0 or POLICY_E_*. */
static int set_key(struct policy *policy, const char *key, PyObject *value)
{
    const char *strings[LIST_MAX];
    struct policy_value set = {.type = POLICY_BOOLEAN};

    if (PyBool_Check(value)) {
        set.boolean = value == Py_True;
        return policy_set(policy, key, &set);
    }
    if (PyList_CheckExact(value)) {
        set.type = POLICY_STRINGS;
        set.strings = strings;
        return read_strings(value, strings, &set.count) ? policy_set(policy, key, &set)
                                                        : POLICY_E_BAD_TYPE;
    }
    set.type = POLICY_STRING;
    set.string = text_of(value);
    return set.string != NULL ? policy_set(policy, key, &set) : POLICY_E_BAD_TYPE;
}

/* "ban_def" for "ban_defs": what begins alike is what was meant, often enough to say so. */
static const char *similar_key(const char *key)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);

    for (size_t i = 0; i < count; i++)
        if (strncmp(keys[i].name, key, 3) == 0)
            return keys[i].name;
    return NULL;
}

static char *describe(int outcome, const char *name, const char *key)
{
    const struct policy_key *row = policy_key_find(key);
    const char *similar = similar_key(key);

    if (row != NULL)
        return xasprintf("policy file %s: %s must be %s", name, key, row->accepts);
    if (outcome == POLICY_E_UNKNOWN_KEY && similar != NULL)
        return xasprintf("policy file %s: there is no key %s; %s may be meant", name, key, similar);
    return xasprintf("policy file %s: there is no key %s", name, key);
}

static int apply_key(struct policy *policy, PyObject *key, PyObject *value, const char *name,
                     char **ret_problem)
{
    const char *text = text_of(key);
    int outcome = text != NULL ? set_key(policy, text, value) : POLICY_E_UNKNOWN_KEY;

    if (outcome == POLICY_E_BAD_TYPE && policy_key_find(text) == NULL)
        outcome = POLICY_E_UNKNOWN_KEY;
    if (outcome != 0)
        *ret_problem = describe(outcome, name, text != NULL ? text : "?");
    return outcome;
}

/* The preset first, wherever it stands: the other keys change what it says. */
static int apply_table(struct policy *policy, PyObject *table, const char *name, char **ret_problem)
{
    cleanup_py PyObject *preset_key = PyUnicode_FromString("preset");
    PyObject *preset = preset_key != NULL ? PyDict_GetItem(table, preset_key) : NULL;
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;
    int outcome = 0;

    if (preset != NULL)
        outcome = apply_key(policy, preset_key, preset, name, ret_problem);
    while (outcome == 0 && PyDict_Next(table, &at, &key, &value))
        if (value != preset)
            outcome = apply_key(policy, key, value, name, ret_problem);
    return outcome;
}

/* A cell gets its own tomllib, should it want one: nothing that we used stays reachable. */
static void forget_tomllib(void)
{
    static const char *const modules[] = {"tomllib", "tomllib._parser", "tomllib._re",
                                          "tomllib._types"};
    PyObject *loaded = PySys_GetObject("modules");

    for (size_t i = 0; loaded != NULL && i < sizeof(modules) / sizeof(modules[0]); i++)
        if (PyDict_DelItemString(loaded, modules[i]) < 0)
            PyErr_Clear();
}

int policy_file_apply(struct policy *policy, struct bytes text, const char *name, char **ret_problem)
{
    cleanup_py PyObject *table = NULL;
    int outcome;

    if (text.size == 0)
        return 0;
    table = parse(text, name, ret_problem);
    outcome = table != NULL ? apply_table(policy, table, name, ret_problem) : POLICY_E_BAD_VALUE;
    forget_tomllib();
    return outcome;
}
