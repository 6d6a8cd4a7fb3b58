#include "guard/python/shell.h"
#include "guard/python/error.h"
#include "guard/python/module.h"
#include "guard/python/py_cleanup.h"

static int add_guard_module(void)
{
    cleanup_py PyObject *module = module_new(NULL);
    PyObject *modules = PyImport_GetModuleDict();

    return module != NULL ? PyDict_SetItemString(modules, "safepyrun._guard", module) : -1;
}

/* The host's own script must not be what cells see as __main__. */
static int renew_main(void)
{
    cleanup_py PyObject *main = PyModule_New("__main__");
    cleanup_py PyObject *builtins = PyImport_ImportModule("builtins");

    if (main == NULL || builtins == NULL ||
        PyObject_SetAttrString(main, "__builtins__", builtins) < 0 ||
        PyObject_SetAttrString(main, "__builtin__", builtins) < 0)
        return -1;
    return PyDict_SetItemString(PyImport_GetModuleDict(), "__main__", main);
}

/* A package is loaded once: its submodules are found through its own __path__ later. */
static int import_package(const char *library_directory)
{
    PyObject *path = PySys_GetObject("path");
    cleanup_py PyObject *directory = PyUnicode_DecodeFSDefault(library_directory);
    cleanup_py PyObject *package = NULL;
    cleanup_py PyObject *guard = NULL;

    if (path == NULL || directory == NULL || PyList_Insert(path, 0, directory) < 0)
        return -1;
    package = PyImport_ImportModule("safepyrun");
    if (PySequence_DelItem(path, 0) < 0 || package == NULL)
        return -1;
    guard = PyImport_ImportModule("safepyrun._guard");
    return guard != NULL ? PyObject_SetAttrString(package, "_guard", guard) : -1;
}

int shell_import_glue(const char *library_directory)
{
    if (library_directory != NULL &&
        (add_guard_module() < 0 || import_package(library_directory) < 0))
        return -1;
    return renew_main();
}

PyObject *shell_start(const char *choice)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._start");

    return module != NULL ? PyObject_CallMethod(module, "start", "s", choice) : NULL;
}

PyObject *shell_describe(PyObject *shell)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._start");

    return module != NULL ? PyObject_CallMethod(module, "describe", "(O)", shell) : NULL;
}

void shell_warm_up(PyObject *shell, bool (*is_wanted)(void))
{
    cleanup_py PyObject *steps = PyObject_CallMethod(shell, "warm_up", NULL);
    PyObject *step = steps;

    Py_XINCREF(step);
    while (step != NULL && !is_wanted()) {
        Py_DECREF(step);
        step = PyIter_Next(steps);
    }
    Py_XDECREF(step);
    PyErr_Clear(); /* what went wrong will be met, and said, when it is needed */
}

int shell_open_cwd(void)
{
    cleanup_py PyObject *here = PyUnicode_FromString("");
    PyObject *path = PySys_GetObject("path");

    return path != NULL && here != NULL ? PyList_Insert(path, 0, here) : -1;
}

void shell_shut_down(PyObject *shell)
{
    cleanup_py PyObject *stopped = PyObject_CallMethod(shell, "shutdown", NULL);
    cleanup_py PyObject *module = NULL;
    cleanup_py PyObject *ran = NULL;

    if (stopped == NULL)
        error_print("shutting down");
    module = PyImport_ImportModule("atexit");
    if (module != NULL)
        ran = PyObject_CallMethod(module, "_run_exitfuncs", NULL);
    PyErr_Clear(); /* atexit has printed what went wrong */
}
