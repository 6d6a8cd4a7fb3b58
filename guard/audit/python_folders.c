#include "guard/audit/python_folders.h"

#include "guard/link/buffer.h"
#include "guard/python/py_cleanup.h"

#include <string.h>

static const char *const system_folders[] = {"/usr",
                                             "/lib",
                                             "/lib32",
                                             "/lib64",
                                             "/opt/conda/lib",
                                             "/proc/self",
                                             "/proc/cpuinfo",
                                             "/proc/meminfo",
                                             "/proc/stat",
                                             "/proc/filesystems",
                                             "/proc/mounts",
                                             "/proc/sys",
                                             "/sys/devices/system",
                                             "/sys/fs/cgroup",
                                             "/dev/null",
                                             "/dev/zero",
                                             "/dev/random",
                                             "/dev/urandom",
                                             "/etc/ld.so.cache",
                                             "/etc/localtime",
                                             "/etc/timezone",
                                             "/etc/mime.types",
                                             "/etc/fonts",
                                             "/etc/ssl",
                                             "/etc/pki",
                                             "/etc/alternatives",
                                             "/etc/locale.alias",
                                             "/etc/os-release",
                                             "/etc/debian_version"};

static const char *const prefixes[] = {"prefix", "exec_prefix", "base_prefix", "base_exec_prefix"};

/* ---- reading ---------------------------------------------------------------------------------- */

static void add_text(struct policy *policy, PyObject *text)
{
    const char *path =
        text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;

    PyErr_Clear();
    if (path != NULL && path[0] == '/')
        policy_add_readable(policy, path);
}

static void add_package(struct policy *policy, const char *name)
{
    cleanup_py PyObject *package = PyImport_ImportModule(name);
    cleanup_py PyObject *path =
        package != NULL ? PyObject_GetAttrString(package, "__path__") : NULL;
    cleanup_py PyObject *first = path != NULL ? PySequence_GetItem(path, 0) : NULL;

    add_text(policy, first);
}

void python_folders_add(struct policy *policy)
{
    PyObject *path = PySys_GetObject("path");

    for (size_t i = 0; i < sizeof(system_folders) / sizeof(system_folders[0]); i++)
        policy_add_readable(policy, system_folders[i]);
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        add_text(policy, PySys_GetObject(prefixes[i]));
    for (Py_ssize_t i = 0; path != NULL && PyList_Check(path) && i < PyList_Size(path); i++)
        add_text(policy, PyList_GetItem(path, i));
    add_package(policy, "safepyrun");
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* A virtual environment often lies inside a write root. What is installed there stays library code,
   and so it must stay read-only: else a cell could write itself the rights of a library. */
static int protect_packages(struct policy *policy)
{
    PyObject *path = PySys_GetObject("path");
    cleanup_py PyObject *os = PyImport_ImportModule("os");
    cleanup_py PyObject *file = os != NULL ? PyObject_GetAttrString(os, "__file__") : NULL;
    const char *text = file != NULL ? PyUnicode_AsUTF8AndSize(file, NULL) : NULL;

    if (text == NULL)
        PyErr_Clear(); /* a frozen standard library has no folder */
    else if (strrchr(text, '/') != NULL) {
        cleanup_free char *folder = xstrndup(text, (size_t)(strrchr(text, '/') - text));

        policy_add_read_only(policy, folder);
    }
    if (path == NULL || !PyList_Check(path)) {
        PyErr_SetString(PyExc_RuntimeError, "sys.path is not a list");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_Size(path); i++) {
        PyObject *entry = PyList_GetItem(path, i);
        const char *folder = PyUnicode_Check(entry) ? PyUnicode_AsUTF8AndSize(entry, NULL) : NULL;

        if (folder == NULL)
            PyErr_Clear();
        else if (policy_is_package_folder(folder))
            policy_add_read_only(policy, folder);
    }
    return 0;
}

/* What the next interpreter is made of: its program, where that looks for the standard library, and what else is installed. */
static void protect_prefix(struct policy *policy, const char *prefix)
{
    static const char *const parts[] = {"bin", "lib", "lib64", "pyvenv.cfg", "etc/jupyter", "etc/ipython", "share/jupyter"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        cleanup_free char *path = xasprintf("%s/%s", prefix, parts[i]);

        policy_add_read_only(policy, path);
    }
}

/* Of a virtual environment, and of the Python that it was made from. */
static void protect_environments(struct policy *policy)
{
    const char *done = "";

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        PyObject *text = PySys_GetObject(prefixes[i]);
        const char *prefix =
            text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;

        PyErr_Clear();
        if (prefix == NULL || prefix[0] != '/' || strcmp(prefix, done) == 0)
            continue;
        protect_prefix(policy, prefix);
        done = prefix;
    }
}

int python_folders_protect(struct policy *policy)
{
    protect_environments(policy);
    return protect_packages(policy);
}
