#include "guard/policy_answer.h"

#include "guard/audit/texts.h"
#include "guard/configuration.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/shell.h"
#include "guard/setup.h"

#include <errno.h>
#include <string.h>

static PyObject *text(const char *value)
{
    return PyUnicode_DecodeFSDefault(value);
}

/* The value of a key, new. */
static PyObject *value_of(const char *key, const struct configuration *configuration)
{
    const struct policy *policy = configuration->policy;
    const struct string_list *list = policy_list(policy, key);
    const long *limit = policy_limit(policy, key);

    if (limit != NULL)
        return PyLong_FromLong(*limit);
    if (strcmp(key, "preset") == 0)
        return text(policy_preset_name(policy->preset));
    if (strcmp(key, "mode") == 0)
        return text(policy->allow_mode ? "allow" : "restrict");
    if (strcmp(key, "os_ring") == 0)
        return text(policy_os_ring_name(policy->os_ring));
    if (strcmp(key, "ban_defs") == 0)
        return PyBool_FromLong(policy->ban_defs);
    if (strcmp(key, "on_deny") == 0)
        return text(policy->asks ? "ask" : "error");
    if (strcmp(key, "outputs") == 0)
        return text(policy->passive_outputs ? "passive" : "any");
    if (strcmp(key, "ask_seconds") == 0)
        return PyLong_FromLong(policy->ask_seconds);
    if (strcmp(key, "warm.templates") == 0)
        return PyBool_FromLong(policy->templates);
    if (strcmp(key, "warm.imports") == 0 && policy->learns_imports)
        return py_own(Py_None); /* what was used lately: no list that a file could hold */
    if (strcmp(key, "extra_globals") == 0)
        return py_own(configuration->result.extra_globals);
    if (strcmp(key, "project_policy") == 0) /* a file that says false has the same effect as none */
        return PyBool_FromLong(configuration->result.uses_project);
    if ((strcmp(key, "ok_dests") == 0 && !policy->guards_writes) ||
        (strcmp(key, "read_roots") == 0 && !policy->guards_reads))
        return text("any");
    return list != NULL ? texts_list(list) : NULL;
}

/* As JSON, or as a value in TOML: tables have "=" in place of ":". */
static PyObject *dumps(PyObject *value, bool as_json)
{
    cleanup_py PyObject *json = PyImport_ImportModule("json");
    cleanup_py PyObject *function = json != NULL ? PyObject_GetAttrString(json, "dumps") : NULL;
    cleanup_py PyObject *arguments = Py_BuildValue("(O)", value);
    cleanup_py PyObject *keywords = NULL;

    if (function == NULL || arguments == NULL)
        return NULL;
    /* TOML has dates, which JSON writes as text. */
    keywords = Py_BuildValue("{s:O,s:O,s:N,s:(ss)}", "ensure_ascii", Py_False, "default",
                             (PyObject *)&PyUnicode_Type, "indent",
                             as_json ? PyLong_FromLong(2) : py_own(Py_None), "separators",
                             as_json ? "," : ", ", as_json ? ": " : " = ");
    return keywords != NULL ? PyObject_Call(function, arguments, keywords) : NULL;
}

static int print(PyObject *string)
{
    cleanup_py PyObject *bytes =
        string != NULL ? PyUnicode_AsEncodedString(string, "utf-8", "backslashreplace") : NULL;

    if (bytes == NULL)
        return -1;
    fputs(PyBytes_AsString(bytes), stdout);
    return 0;
}

static const char *origin_of(const char *key, const struct configuration *configuration)
{
    const char *origin = policy_result_origin(&configuration->result, key);

    if (origin != NULL)
        return origin;
    return strcmp(key, "preset") == 0 ? "default" : "preset";
}

static int print_assignment(const char *name, PyObject *value, const char *origin)
{
    cleanup_py PyObject *words = value != NULL ? dumps(value, false) : NULL;

    if (value == Py_None) {
        printf("# %s is not set\n", name);
        return 0;
    }
    if (words == NULL)
        return -1;
    printf("%s = ", name);
    if (print(words) < 0)
        return -1;
    printf("  # %s\n", origin);
    return 0;
}

static int print_globals(const struct configuration *configuration)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (PyDict_Size(configuration->result.extra_globals) == 0)
        return 0;
    printf("\n[extra_globals]\n");
    while (PyDict_Next(configuration->result.extra_globals, &at, &name, &value)) {
        const char *utf8 = PyUnicode_AsUTF8AndSize(name, NULL);

        if (utf8 == NULL ||
            print_assignment(utf8, value, origin_of("extra_globals", configuration)) < 0)
            return -1;
    }
    return 0;
}

/* Keys of the top first: in TOML they may not follow a table. */
static int print_keys(const struct configuration *configuration, bool of_tables)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    char section[32] = "";

    for (size_t i = 0; i < count; i++) {
        const char *dot = strchr(keys[i].name, '.');
        cleanup_py PyObject *value = value_of(keys[i].name, configuration);

        if ((dot != NULL) != of_tables || strcmp(keys[i].name, "extra_globals") == 0 ||
            strcmp(keys[i].name, "project_policy") == 0)
            continue;
        if (dot != NULL && strncmp(section, keys[i].name, (size_t)(dot - keys[i].name)) != 0) {
            snprintf(section, sizeof(section), "%.*s", (int)(dot - keys[i].name), keys[i].name);
            printf("\n[%s]\n", section);
        }
        if (print_assignment(dot != NULL ? dot + 1 : keys[i].name, value,
                             origin_of(keys[i].name, configuration)) < 0)
            return -1;
    }
    return 0;
}

static int print_text(const struct configuration *configuration)
{
    const char *files = configuration->result.paths;

    printf("# policy files: %s\n", files[0] != '\0' ? files : "none");
    if (configuration->result.left_out != NULL)
        printf("# left out: %s; your own policy file would have to say project_policy = true\n",
               configuration->result.left_out);
    if (print_keys(configuration, false) < 0 || print_keys(configuration, true) < 0)
        return -1;
    return print_globals(configuration);
}

static int print_json(const struct configuration *configuration)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    cleanup_py PyObject *dict = PyDict_New();
    cleanup_py PyObject *words = NULL;

    for (size_t i = 0; dict != NULL && i < count; i++) {
        cleanup_py PyObject *value = value_of(keys[i].name, configuration);
        cleanup_py PyObject *entry = value != NULL
                                         ? Py_BuildValue("{s:O,s:s}", "value", value, "from",
                                                         origin_of(keys[i].name, configuration))
                                         : NULL;

        if (entry == NULL || PyDict_SetItemString(dict, keys[i].name, entry) < 0)
            return -1;
    }
    words = dict != NULL ? dumps(dict, true) : NULL;
    if (print(words) < 0)
        return -1;
    putchar('\n');
    return 0;
}

/* {key: (file, names)} of the lists that a file holds. New. */
static PyObject *lists_of_files(const struct configuration *configuration)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    cleanup_py PyObject *lists = PyDict_New();

    for (size_t i = 0; lists != NULL && i < count; i++) {
        const struct string_list *list = policy_list(configuration->policy, keys[i].name);
        const char *file = policy_result_origin(&configuration->result, keys[i].name);
        cleanup_py PyObject *entry = list != NULL && file != NULL ? Py_BuildValue("(NN)", text(file), texts_list(list)) : NULL;

        if (PyErr_Occurred() || (entry != NULL && PyDict_SetItemString(lists, keys[i].name, entry) < 0))
            return NULL;
    }
    return steal(lists);
}

/* Names that may be misspelt: they are told, and no mistake. */
static int print_hints(const struct configuration *configuration)
{
    cleanup_py PyObject *lists = lists_of_files(configuration);
    cleanup_py PyObject *module = lists != NULL ? PyImport_ImportModule("safepyrun._unknown_names") : NULL;
    cleanup_py PyObject *lines =
        module != NULL ? PyObject_CallMethod(module, "hints", "OO", lists, configuration->result.extra_globals) : NULL;

    for (Py_ssize_t i = 0; lines != NULL && i < PyList_Size(lines); i++) {
        if (print(PyList_GetItem(lines, i)) < 0)
            return -1;
        putchar('\n');
    }
    return lines != NULL ? 0 : -1;
}

static int print_answer(enum policy_question question, const struct configuration *configuration)
{
    int result = question == POLICY_QUESTION_SHOW        ? print_text(configuration)
                 : question == POLICY_QUESTION_SHOW_JSON ? print_json(configuration)
                                                         : print_hints(configuration);

    if (fflush(stdout) == 0)
        return result;
    if (errno != EPIPE) /* who has read enough knows that there is more */
        fprintf(stderr, "the output cannot be written: %s\n", strerror(errno));
    return -1;
}

/* The link is a socket here as well, so that the question is asked in the words of a session. */
int policy_answer(int link_fd, const char *library_directory, enum policy_question question)
{
    struct configuration configuration = {.shell = NULL};
    struct frame frame;
    cleanup_free char *problem = NULL;
    int status = 1;

    if (shell_import_glue(library_directory) < 0 || link_end_open(link_fd) < 0 || link_end_receive(&frame) < 0 ||
        frame.type != FRAME_CONFIGURE)
        return 2;
    if (configuration_read(&frame, &configuration, &problem) < 0 ||
        setup_check(configuration.policy, &problem) < 0)
        fprintf(stderr, "%s\n", problem);
    else
        status = print_answer(question, &configuration) < 0 ? 2 : 0;
    configuration_finish(&configuration);
    return status;
}
