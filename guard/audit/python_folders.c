#include "guard/audit/python_folders.h"

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
    static const char *const prefixes[] = {"prefix", "exec_prefix", "base_prefix",
                                           "base_exec_prefix"};
    PyObject *path = PySys_GetObject("path");

    for (size_t i = 0; i < sizeof(system_folders) / sizeof(system_folders[0]); i++)
        policy_add_readable(policy, system_folders[i]);
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        add_text(policy, PySys_GetObject(prefixes[i]));
    for (Py_ssize_t i = 0; path != NULL && PyList_Check(path) && i < PyList_Size(path); i++)
        add_text(policy, PyList_GetItem(path, i));
    add_package(policy, "safepyrun");
}
