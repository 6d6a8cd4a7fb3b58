#include "guard/audit/interpose.h"

#include "guard/audit/ctypes_guard.h"
#include "guard/audit/environment_guard.h"
#include "guard/audit/finalizers.h"
#include "guard/audit/frame_writes.h"
#include "guard/audit/gdbm_guard.h"
#include "guard/audit/hook.h"
#include "guard/audit/mapping_guard.h"
#include "guard/audit/module_making.h"
#include "guard/audit/opener_guard.h"
#include "guard/audit/semaphore_guard.h"
#include "guard/audit/socket_guard.h"
#include "guard/audit/sqlite_guard.h"
#include "guard/audit/trace_guard.h"
#include "guard/python/method_patch.h"

#include <string.h>

#define NAMES_LIMIT 4

struct row {
    struct event_row event; /* its name is the function's: "posix.mkfifo" */
    const char *module;
    const char *function;
    const char *names[NAMES_LIMIT + 1];
};

#define TWO_NUMBERS {.path = {1, 2}}

static struct row rows[] = {
#define INTERPOSE(in_module, name_of, decides, where, text, ...)                                   \
    {.event = {.name = in_module "." name_of,                                                      \
               .check = decides,                                                                   \
               .arguments = where,                                                                 \
               .words = text},                                                                     \
     .module = in_module,                                                                          \
     .function = name_of,                                                                          \
     .names = {__VA_ARGS__}},
#include "guard/audit/interpose.def"
#undef INTERPOSE
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Types of another copy would have to be guarded anew, and what their module imports can be a cell's by then. */
static struct {
    const PyModuleDef *ctypes;
    const PyModuleDef *sqlite;
} filled;

static const struct event_row copy_row = {.name = "safepyrun.copy_module",
                                          .check = check_never,
                                          .arguments = NOTHING,
                                          .words = "load a second copy of this module"};

/* ---- a call --------------------------------------------------------------------------------- */

/* An object that is asked for a number when the arguments are read: its code runs after the question, and can swap what a
   path leads to. */
static bool runs_code(PyObject *argument)
{
    return argument != Py_None && !PyLong_Check(argument) && !PyUnicode_Check(argument) &&
           !PyBytes_Check(argument) && !PyFloat_Check(argument);
}

static bool has_late_argument(const struct method_call *call)
{
    Py_ssize_t named = call->kwnames != NULL ? PyTuple_Size(call->kwnames) : 0;

    for (Py_ssize_t i = 0; i < call->positional + named; i++)
        if (runs_code(call->args[i]))
            return true;
    return false;
}

static bool opens_a_path(verdict_function *check)
{
    return check == check_write_roots || check == check_mknod || check == check_open_at || check == check_dbm;
}

static PyObject *judge_call(const struct method_call *call, void *data)
{
    const struct row *row = data;
    PyObject *items[NAMES_LIMIT] = {NULL};
    struct facts_source source = {items, NULL, NAMES_LIMIT};

    for (Py_ssize_t i = 0; i < NAMES_LIMIT && row->names[i] != NULL; i++)
        items[i] = method_call_argument(call, i, row->names[i]);
    if (row->event.arguments.path[0] != 0 && opens_a_path(row->event.check) &&
        has_late_argument(call))
        items[row->event.arguments.path[0] - 1] = Py_Ellipsis; /* no path: it is refused as one that could change */
    if (hook_judge(&row->event, &source) < 0)
        return NULL;
    return method_call_next(call);
}

/* ---- patching ------------------------------------------------------------------------------- */

/* "load_library", or "FFI.dlopen" for a method of a type. NULL: an exception is set. */
static PyObject *find_function(PyObject *module, const char *name)
{
    const char *dot = strchr(name, '.');
    cleanup_free char *type_name = dot != NULL ? xstrndup(name, (size_t)(dot - name)) : NULL;
    cleanup_py PyObject *type = NULL;

    if (dot == NULL)
        return PyObject_GetAttrString(module, name);
    type = PyObject_GetAttrString(module, type_name);
    return type != NULL ? PyObject_GetAttrString(type, dot + 1) : NULL;
}

static int patch_row(struct row *row, PyObject *module)
{
    cleanup_py PyObject *function = find_function(module, row->function);

    if (function == NULL) {
        PyErr_Clear(); /* this version does not have it, or the module is not filled yet */
        return 0;
    }
    if (method_patch_is_done(function, judge_call, row))
        return 0;
    if (method_patch(function, judge_call, row) == 0)
        return 0;
    /* A debugger or a profiler of the host program stands before it (debugpy: fork_exec). */
    if (method_patch_hidden(module, row->function, judge_call, row) == 0)
        return 0;
    PyErr_Format(PyExc_ImportError, "safepyrun cannot guard %s: %R stands in its place", row->event.name, function);
    return -1;
}

/* "package._ctypes" is initialised by the same function as "_ctypes": the last part counts. */
static bool names_module(const char *name, const char *module)
{
    const char *dot = strrchr(name, '.');

    return strcmp(name, module) == 0 || (dot != NULL && strcmp(dot + 1, module) == 0);
}

/* What was filled before is as cells have left it: under the names of guarded functions and types there may be others. */
static bool is_to_be_filled(PyObject *module)
{
    PyModuleDef *definition =
        module != NULL && PyModule_Check(module) ? PyModule_GetDef(module) : NULL;

    return definition != NULL && definition->m_slots != NULL && PyModule_GetState(module) == NULL;
}

static void note_filled(PyObject *module, const PyModuleDef **definition)
{
    if (*definition == NULL && PyModule_Check(module) && !is_to_be_filled(module))
        *definition = PyModule_GetDef(module);
}

static int guard_module(PyObject *module, const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (names_module(name, rows[i].module) && patch_row(&rows[i], module) < 0)
            return -1;
    if (names_module(name, "_socket"))
        return socket_guard_module(module);
    if (names_module(name, "_gdbm"))
        return gdbm_guard_module(module);
    if (names_module(name, "mmap"))
        return mapping_guard_module(module);
    if (names_module(name, "_multiprocessing"))
        return semaphore_guard_module(module);
    if (names_module(name, "_ctypes")) {
        note_filled(module, &filled.ctypes);
        return ctypes_guard_module(module);
    }
    if (names_module(name, "_sqlite3") || names_module(name, "sqlite3")) {
        note_filled(module, &filled.sqlite);
        return sqlite_guard_module(module);
    }
    return 0;
}

/* The import system made or filled a native module. Both calls can be the one that adds functions. */
static int guard_new_module(PyObject *module)
{
    PyModuleDef *definition = PyModule_Check(module) ? PyModule_GetDef(module) : NULL;
    const char *name;

    if (definition == NULL) /* made in Python: what it calls its own says nothing */
        return 0;
    /* The name in the definition is the C code's own. The other one is what a spec said, which may be an
       object of a cell that says something else each time. */
    if (definition->m_name != NULL && guard_module(module, definition->m_name) < 0)
        return -1;
    name = PyModule_GetName(module);
    if (name == NULL) {
        PyErr_Clear(); /* a module that has taken its own name away */
        return 0;
    }
    return guard_module(module, name);
}

static bool is_guarded_name(const char *name)
{
    static const char *const by_type[] = {"_socket", "_multiprocessing", "_ctypes", "_sqlite3", NULL};

    for (size_t i = 0; by_type[i] != NULL; i++)
        if (strcmp(name, by_type[i]) == 0)
            return true;
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(name, rows[i].module) == 0)
            return true;
    return false;
}

/* module: that is filled by the call; NULL: the call makes it. */
static PyObject *call_and_guard(const struct method_call *call, PyObject *module)
{
    cleanup_py PyObject *result = method_call_next(call);

    if (result == NULL)
        return NULL;
    if (module == NULL)
        module = result;
    return guard_new_module(module) < 0 || finalizers_see_module(module) < 0 ? NULL : steal(result);
}

/* The same, while nothing of a cell's runs. */
static PyObject *call_and_guard_quietly(const struct method_call *call, PyObject *module)
{
    struct module_making making = module_making_begin();
    PyObject *result = call_and_guard(call, module);

    module_making_end(making);
    return result;
}

static PyObject *create_module(const struct method_call *call, void *data)
{
    bool is_guarded;

    (void)data;
    if (scope_current() == NULL)
        return call_and_guard(call, NULL);
    if (module_making_ask_spec(method_call_argument(call, 0, "spec"), is_guarded_name, &is_guarded) < 0)
        return NULL;
    return is_guarded ? call_and_guard_quietly(call, NULL) : call_and_guard(call, NULL);
}

static PyObject *exec_module(const struct method_call *call, void *data)
{
    PyObject *module = method_call_argument(call, 0, "mod");
    PyModuleDef *definition = is_to_be_filled(module) ? PyModule_GetDef(module) : NULL;

    (void)data;
    if (definition == NULL)
        return method_call_next(call);
    if ((definition == filled.ctypes || definition == filled.sqlite) && hook_judge(&copy_row, NULL) < 0)
        return NULL;
    if (scope_current() == NULL || !is_guarded_name(definition->m_name))
        return call_and_guard(call, module);
    return module_making_ask_module(module) == 0 ? call_and_guard_quietly(call, module) : NULL;
}

static int patch_loaders(void)
{
    cleanup_py PyObject *imp = PyImport_ImportModule("_imp");

    if (imp == NULL || method_patch_attribute(imp, "create_dynamic", create_module, NULL) < 0 ||
        method_patch_attribute(imp, "exec_dynamic", exec_module, NULL) < 0 ||
        method_patch_attribute(imp, "create_builtin", create_module, NULL) < 0 ||
        method_patch_attribute(imp, "exec_builtin", exec_module, NULL) < 0)
        return -1;
    return 0;
}

static int guard_loaded_modules(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    const char *last = "";

    for (size_t i = 0; i < ROW_COUNT; i++) {
        PyObject *module;

        if (strcmp(rows[i].module, last) == 0)
            continue;
        last = rows[i].module;
        module = PyDict_GetItemString(modules, last);
        if (module != NULL && guard_module(module, last) < 0)
            return -1;
    }
    return 0;
}

/* sys.monitoring is an attribute, not an entry of sys.modules, on some versions. */
static int guard_monitoring(void)
{
    PyObject *monitoring = PySys_GetObject("monitoring");

    return monitoring != NULL ? guard_module(monitoring, "sys.monitoring") : 0;
}

int interpose_init(void)
{
    static bool done;

    if (done)
        return 0;
    if (module_making_init() < 0 || guard_loaded_modules() < 0 || guard_monitoring() < 0 || patch_loaders() < 0 ||
        trace_guard_start() < 0 || frame_writes_start() < 0 || environment_guard_start() < 0 ||
        opener_guard_start() < 0)
        return -1;
    done = true;
    return 0;
}

/* Its types give memory at any address. The others are asked about when they are made. */
void interpose_load(void)
{
    PyObject *module = PyImport_ImportModule("_ctypes");

    Py_XDECREF(module);
    PyErr_Clear(); /* this Python does not have it */
}
