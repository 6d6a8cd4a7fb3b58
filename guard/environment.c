#include "guard/environment.h"

#include "guard/policy/env_names.h"
#include "guard/python/py_cleanup.h"

#include <string.h>

/* One entry of the C library's environment, "NAME=value", judged. */
static bool is_hidden(const struct policy *policy, const char *entry, char **ret_name)
{
    const char *equals = strchr(entry, '=');
    cleanup_free char *name = equals != NULL ? xstrndup(entry, (size_t)(equals - entry)) : NULL;

    if (name == NULL || !env_names_hide(policy, name, equals + 1))
        return false;
    *ret_name = steal(name);
    return true;
}

/* The strings are those of the process's first page, unless somebody has set a variable anew. */
static void collect(const struct policy *policy, struct string_list *names)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        cleanup_free char *name = NULL;

        if (is_hidden(policy, *entry, &name))
            string_list_add(names, name);
    }
}

/* The name goes as well: that there is a GITHUB_TOKEN says something. */
static void wipe(const char *name)
{
    char *value = getenv(name);
    size_t name_size = strlen(name) + 1;
    size_t size;
    char *entry;

    if (value == NULL)
        return;
    size = name_size + strlen(value);
    entry = value - name_size;
    unsetenv(name); /* looks for the name, so it comes before the name is gone */
    explicit_bzero(entry, size);
}

/*
 * The block that /proc/self/environ shows, from the two addresses in /proc/self/stat: it still
 * holds what was set anew since, and what wipe() did not meet.
 */
static void wipe_first_block(const struct policy *policy)
{
    char text[2048];
    cleanup_file FILE *file = fopen("/proc/self/stat", "re");
    size_t size = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    char *at = NULL;
    unsigned long start = 0;
    unsigned long end = 0;

    text[size] = '\0';
    at = strrchr(text, ')'); /* the name of the program may hold anything */
    for (int field = 2; at != NULL && field < 50; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL || sscanf(at, " %lu %lu", &start, &end) != 2 || start == 0 || end <= start)
        return;
    for (char *entry = (char *)start; entry < (char *)end;
         entry += strnlen(entry, (size_t)((char *)end - entry)) + 1) {
        cleanup_free char *name = NULL;

        if (is_hidden(policy, entry, &name))
            explicit_bzero(entry, strlen(entry));
    }
}

static int forget(PyObject *mapping, PyObject *name)
{
    if (mapping == NULL)
        return -1;
    if (PyObject_DelItem(mapping, name) == 0)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_KeyError))
        return -1;
    PyErr_Clear();
    return 0;
}

int environment_hide(const struct policy *policy)
{
    struct string_list names = {NULL, 0};
    cleanup_py PyObject *os = PyImport_ImportModule("os");
    cleanup_py PyObject *posix = PyImport_ImportModule("posix");
    cleanup_py PyObject *variables = os != NULL ? PyObject_GetAttrString(os, "environ") : NULL;
    cleanup_py PyObject *first = posix != NULL ? PyObject_GetAttrString(posix, "environ") : NULL;
    int result = variables != NULL && first != NULL ? 0 : -1;

    collect(policy, &names);
    for (size_t i = 0; result == 0 && i < names.count; i++) {
        cleanup_py PyObject *text = PyUnicode_DecodeFSDefault(names.items[i]);
        cleanup_py PyObject *bytes = PyBytes_FromString(names.items[i]);

        wipe(names.items[i]);
        if (text == NULL || bytes == NULL || forget(variables, text) < 0 ||
            forget(first, bytes) < 0)
            result = -1;
    }
    wipe_first_block(policy);
    string_list_finish(&names);
    return result;
}

/* Any address will do: under the ring a socket leads to the proxy, wherever it is told to connect. */
static int point_to_proxy(PyObject *variables)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"};
    cleanup_py PyObject *address = PyUnicode_FromString("http://127.0.0.1:3128");

    for (size_t i = 0; address != NULL && i < sizeof(names) / sizeof(names[0]); i++)
        if (PyMapping_SetItemString(variables, names[i], address) < 0)
            return -1;
    return address != NULL ? 0 : -1;
}

/* Without the interpreter ring, and with an OS ring that is off, there is nobody to refuse a program. */
static int work_in_threads(const struct policy *policy)
{
    cleanup_py PyObject *module = NULL;
    cleanup_py PyObject *done = NULL;

    if (policy->preset == POLICY_OPEN && policy->os_ring == POLICY_OS_RING_OFF)
        return 0;
    module = PyImport_ImportModule("safepyrun._amendments");
    done = module != NULL ? PyObject_CallMethod(module, "work_in_threads", NULL) : NULL;
    return done != NULL ? 0 : -1;
}

int environment_prepare_libraries(const struct policy *policy)
{
    static const struct {
        const char *name;
        const char *value;
        bool in_open; /* under the preset "open", too */
    } settings[] = {
        /* Its check runs machine code through ctypes while it is imported, to warn of old processors. */
        {"POLARS_SKIP_CPU_CHECK", "1", false},
        /* pandas loads it where it is installed, and its threads, which no fork handler stops, would be the end of frozen
           copies and templates. numexpr.set_num_threads() starts them. */
        {"NUMEXPR_NUM_THREADS", "1", true},
    };
    cleanup_py PyObject *os = PyImport_ImportModule("os");
    cleanup_py PyObject *variables = os != NULL ? PyObject_GetAttrString(os, "environ") : NULL;

    if (variables == NULL || work_in_threads(policy) < 0 ||
        (policy->network_allow.count > 0 && point_to_proxy(variables) < 0))
        return -1;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        cleanup_py PyObject *kept = NULL;

        if (policy->preset == POLICY_OPEN && !settings[i].in_open)
            continue;
        kept = PyObject_CallMethod(variables, "setdefault", "ss", settings[i].name, settings[i].value);
        if (kept == NULL)
            return -1;
    }
    return 0;
}
