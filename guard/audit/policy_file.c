#include "guard/audit/policy_file.h"

#include "guard/audit/policy_problem.h"
#include "guard/python/py_cleanup.h"

#include <limits.h>

enum { LIST_MAX = 1000 }; /* entries of one list in a policy file */

/* ---- TOML ----------------------------------------------------------------------------------- */

int policy_file_parse(struct policy_file *file, char **ret_problem)
{
    cleanup_py PyObject *module = PyImport_ImportModule("tomllib");
    cleanup_py PyObject *string =
        module != NULL ? PyUnicode_DecodeUTF8(file->text, (Py_ssize_t)strlen(file->text), "strict")
                       : NULL;

    if (string != NULL)
        file->table = PyObject_CallMethod(module, "loads", "O", string);
    if (file->table != NULL)
        return 0;
    policy_problem_add(ret_problem, policy_problem_toml(file));
    return POLICY_E_BAD_VALUE;
}

void policy_file_finish(struct policy_file *file)
{
    Py_CLEAR(file->table);
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
static int set_value(struct policy *policy, const char *key, PyObject *value)
{
    const char *strings[LIST_MAX];
    struct policy_value set = {.type = POLICY_BOOLEAN};

    if (PyBool_Check(value)) {
        set.boolean = value == Py_True;
        return policy_set(policy, key, &set);
    }
    if (PyLong_CheckExact(value)) {
        set.type = POLICY_INTEGER;
        set.integer = PyLong_AsLong(value);
        if (PyErr_Occurred()) {
            PyErr_Clear(); /* beyond any limit */
            return POLICY_E_BAD_VALUE;
        }
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

static int refuse_key(const struct policy_file *file, const char *key, char **ret_problem)
{
    policy_problem_add(ret_problem, policy_problem_unknown(file, key));
    return POLICY_E_UNKNOWN_KEY;
}

static int refuse_value(const struct policy_file *file, const char *key, PyObject *value,
                        char **ret_problem)
{
    policy_problem_add(ret_problem, policy_problem_value(file, key, value));
    return POLICY_E_BAD_VALUE;
}

/* ---- keys ----------------------------------------------------------------------------------- */

/* Trusted files are named relative to the file that names them, wherever the kernel runs. */
static void make_absolute(struct string_list *paths, const char *policy_path)
{
    const char *slash = strrchr(policy_path, '/');
    char here[PATH_MAX] = ".";
    cleanup_free char *folder = NULL;

    if (slash != NULL)
        folder = xstrndup(policy_path, (size_t)(slash - policy_path));
    else
        folder = xstrdup(getcwd(here, sizeof(here)) != NULL ? here : ".");
    for (size_t i = 0; i < paths->count; i++) {
        char *path = paths->items[i];

        if (path[0] == '/')
            continue;
        paths->items[i] =
            path[0] == '~' ? write_roots_expand_home(path) : xasprintf("%s/%s", folder, path);
        free(path);
    }
}

/* What runs in them is for guard/setup to tell. */
static int find_setup_files(const struct policy_file *file, const struct string_list *paths,
                            char **ret_problem)
{
    int outcome = 0;

    for (size_t i = 0; i < paths->count; i++) {
        cleanup_free char *place = NULL;
        int error;

        if (access(paths->items[i], R_OK) == 0)
            continue;
        error = errno;
        place = policy_problem_place_of_item(file, "setup.files", i);
        policy_problem_add(ret_problem, xasprintf("%s: setup.files names %s: %s", place, paths->items[i],
                                                  strerror(error)));
        outcome = POLICY_E_BAD_VALUE;
    }
    return outcome;
}

static int apply_key(const struct policy_file *file, const struct policy_target *target,
                     const char *key, PyObject *value, char **ret_problem)
{
    int outcome;

    if (policy_key_find(key) == NULL || strcmp(key, "extra_globals") == 0)
        return refuse_key(file, key, ret_problem);
    if (strcmp(key, "project_policy") == 0) {
        if (strcmp(file->kind, "user") != 0) {
            policy_problem_add(ret_problem, policy_problem_not_here(file, key));
            return POLICY_E_BAD_VALUE;
        }
        if (!PyBool_Check(value))
            return refuse_value(file, key, value, ret_problem);
        target->note(target->context, key, file->path);
        return 0;
    }
    outcome = set_value(target->policy, key, value);
    if (outcome != 0)
        return refuse_value(file, key, value, ret_problem);
    if (strcmp(key, "setup.files") == 0) {
        make_absolute(&target->policy->setup_files, file->path);
        outcome = find_setup_files(file, &target->policy->setup_files, ret_problem);
        if (outcome != 0)
            return outcome;
    }
    target->note(target->context, key, file->path);
    return 0;
}

static bool is_section(const char *name)
{
    size_t size = strlen(name);
    size_t count;
    const struct policy_key *keys = policy_keys(&count);

    for (size_t i = 0; i < count; i++)
        if (strncmp(keys[i].name, name, size) == 0 && keys[i].name[size] == '.')
            return true;
    return false;
}

/* What comes after a mistake is looked at, too: all of them are told at once. */
static void keep_fault(int *outcome, int more)
{
    if (*outcome == 0)
        *outcome = more;
}

/* "pass" in [env] is the key "env.pass". */
static int apply_section(const struct policy_file *file, const struct policy_target *target,
                         const char *section, PyObject *table, char **ret_problem)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;
    int outcome = 0;

    if (!PyDict_CheckExact(table)) {
        cleanup_free char *place = policy_problem_place(file, section);

        policy_problem_add(ret_problem, xasprintf("%s: %s must be a table: [%s]", place, section, section));
        return POLICY_E_BAD_TYPE;
    }
    while (PyDict_Next(table, &at, &key, &value)) {
        const char *text = text_of(key);
        cleanup_free char *name = xasprintf("%s.%s", section, text != NULL ? text : "?");

        keep_fault(&outcome, apply_key(file, target, name, value, ret_problem));
    }
    return outcome;
}

/* Names that Python itself uses would change more than a variable; a keyword is none at all. */
static bool is_good_name(PyObject *key)
{
    cleanup_py PyObject *answer = PyObject_CallMethod(key, "isidentifier", NULL);
    cleanup_py PyObject *module = PyImport_ImportModule("keyword");
    cleanup_py PyObject *keyword =
        module != NULL ? PyObject_CallMethod(module, "iskeyword", "O", key) : NULL;
    const char *text = text_of(key);

    PyErr_Clear();
    return answer == Py_True && keyword == Py_False && text != NULL && strncmp(text, "__", 2) != 0;
}

static int apply_globals(const struct policy_file *file, const struct policy_target *target,
                         PyObject *table, char **ret_problem)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;
    int outcome = 0;

    if (!PyDict_CheckExact(table))
        return refuse_value(file, "extra_globals", table, ret_problem);
    while (PyDict_Next(table, &at, &key, &value)) {
        if (is_good_name(key) && PyDict_SetItem(target->extra_globals, key, value) == 0)
            continue;
        const char *text = text_of(key);
        cleanup_free char *name = xasprintf("extra_globals.%s", text != NULL ? text : "?");
        cleanup_free char *place = policy_problem_place(file, name);

        PyErr_Clear();
        policy_problem_add(ret_problem,
                           xasprintf("%s: \"%s\" in [extra_globals] must be a name for a variable, without "
                                     "\"__\" in front",
                                     place, text != NULL ? text : "?"));
        outcome = POLICY_E_BAD_VALUE;
    }
    target->note(target->context, "extra_globals", file->path);
    return outcome;
}

static int apply_entry(const struct policy_file *file, const struct policy_target *target,
                       PyObject *key, PyObject *value, char **ret_problem)
{
    const char *name = text_of(key);

    if (name == NULL)
        return refuse_key(file, "?", ret_problem);
    if (strcmp(name, "preset") == 0) /* applied already */
        return 0;
    if (strcmp(name, "extra_globals") == 0)
        return apply_globals(file, target, value, ret_problem);
    if (is_section(name))
        return apply_section(file, target, name, value, ret_problem);
    /* "env.pass" in quotes is a key of its own, which does not exist. */
    if (strchr(name, '.') != NULL) {
        cleanup_free char *quoted = xasprintf("\"%s\"", name);

        return refuse_key(file, quoted, ret_problem);
    }
    return apply_key(file, target, name, value, ret_problem);
}

static PyObject *find(const struct policy_file *file, const char *key)
{
    return PyDict_GetItemString(file->table, key);
}

int policy_file_apply_preset(const struct policy_file *file, const struct policy_target *target,
                             char **ret_problem)
{
    PyObject *value = find(file, "preset");

    return value != NULL ? apply_key(file, target, "preset", value, ret_problem) : 0;
}

int policy_file_apply_keys(const struct policy_file *file, const struct policy_target *target,
                           char **ret_problem)
{
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;
    int outcome = 0;

    while (PyDict_Next(file->table, &at, &key, &value))
        keep_fault(&outcome, apply_entry(file, target, key, value, ret_problem));
    return outcome;
}

bool policy_file_wants_project(const struct policy_file *file)
{
    return find(file, "project_policy") == Py_True;
}
