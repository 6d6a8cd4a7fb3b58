#include "guard/audit/interpose.h"

#include "guard/audit/ctypes_guard.h"
#include "guard/audit/hook.h"
#include "guard/audit/sqlite_guard.h"
#include "guard/python/method_patch.h"

#include <string.h>

#define NAMES_LIMIT 4

struct row {
    struct event_row event; /* its name is the function's: "posix.mkfifo" */
    const char *module;
    const char *function;
    const char *names[NAMES_LIMIT + 1];
    bool patched;
};

static int link_fd = -1;

bool interpose_is_link(int fd)
{
    return fd >= 0 && fd == link_fd;
}

/* ---- decisions about the link --------------------------------------------------------------- */

static enum verdict deny_link(struct denial *denial)
{
    denial->rule = "interpreter ring";
    denial->remedy = "use the descriptors of files that the cell opened";
    snprintf(denial->reason, sizeof(denial->reason), "descriptor %d belongs to the guard", link_fd);
    return VERDICT_DENY;
}

static enum verdict check_link(const struct policy *policy, const struct facts *facts,
                               struct denial *ret_denial)
{
    (void)policy;
    return facts->number_known && interpose_is_link((int)facts->number) ? deny_link(ret_denial)
                                                                        : VERDICT_ALLOW;
}

/* Two descriptors are read as two "paths": that is where the facts keep descriptors. */
static enum verdict check_link_pair(const struct policy *policy, const struct facts *facts,
                                    struct denial *ret_denial)
{
    (void)policy;
    return interpose_is_link(facts->paths[0].fd) || interpose_is_link(facts->paths[1].fd)
               ? deny_link(ret_denial)
               : VERDICT_ALLOW;
}

static enum verdict check_link_range(const struct policy *policy, const struct facts *facts,
                                     struct denial *ret_denial)
{
    (void)policy;
    if (link_fd >= 0 && facts->paths[0].fd <= link_fd && link_fd < facts->paths[1].fd)
        return deny_link(ret_denial);
    return VERDICT_ALLOW;
}

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

/* ---- a call --------------------------------------------------------------------------------- */

static PyObject *judge_call(const struct method_call *call, void *data)
{
    const struct row *row = data;
    PyObject *items[NAMES_LIMIT] = {NULL};
    struct facts_source source = {items, NULL, NAMES_LIMIT};

    for (Py_ssize_t i = 0; i < NAMES_LIMIT && row->names[i] != NULL; i++)
        items[i] = method_call_argument(call, i, row->names[i]);
    if (hook_is_judging() && hook_judge(&row->event, row->event.name, &source) < 0)
        return NULL;
    return method_call_next(call);
}

/* ---- patching ------------------------------------------------------------------------------- */

static int patch_row(struct row *row, PyObject *module)
{
    cleanup_py PyObject *function = NULL;

    if (row->patched)
        return 0;
    function = PyObject_GetAttrString(module, row->function);
    if (function == NULL) {
        PyErr_Clear(); /* this version does not have it, or the module is not filled yet */
        return 0;
    }
    if (method_patch(function, judge_call, row) != 0) {
        PyErr_Format(PyExc_ImportError, "safepyrun cannot guard %s", row->event.name);
        return -1;
    }
    row->patched = true;
    return 0;
}

/* "package._ctypes" is initialised by the same function as "_ctypes": the last part counts. */
static bool names_module(const char *name, const char *module)
{
    const char *dot = strrchr(name, '.');

    return strcmp(name, module) == 0 || (dot != NULL && strcmp(dot + 1, module) == 0);
}

static int guard_module(PyObject *module, const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (names_module(name, rows[i].module) && patch_row(&rows[i], module) < 0)
            return -1;
    if (names_module(name, "_ctypes"))
        return ctypes_guard_module(module);
    if (names_module(name, "_sqlite3"))
        return sqlite_guard_module(module);
    return 0;
}

/* The import system made or filled a native module. Both calls can be the one that adds functions. */
static int guard_new_module(PyObject *module)
{
    const char *name;

    if (module == NULL || !PyModule_Check(module))
        return 0;
    name = PyModule_GetName(module);
    if (name == NULL) {
        PyErr_Clear(); /* a module that has taken its own name away has no row */
        return 0;
    }
    return guard_module(module, name);
}

static PyObject *create_module(const struct method_call *call, void *data)
{
    cleanup_py PyObject *module = method_call_next(call);

    (void)data;
    if (module == NULL || guard_new_module(module) < 0)
        return NULL;
    return steal(module);
}

static PyObject *exec_module(const struct method_call *call, void *data)
{
    cleanup_py PyObject *result = method_call_next(call);

    (void)data;
    if (result == NULL || guard_new_module(method_call_argument(call, 0, "mod")) < 0)
        return NULL;
    return steal(result);
}

static int patch_loader(PyObject *imp, const char *name, method_patch_function function)
{
    cleanup_py PyObject *loader = PyObject_GetAttrString(imp, name);

    if (loader == NULL)
        return -1;
    if (method_patch(loader, function, NULL) == 0)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "safepyrun cannot guard _imp.%s", name);
    return -1;
}

static int patch_loaders(void)
{
    cleanup_py PyObject *imp = PyImport_ImportModule("_imp");

    if (imp == NULL || patch_loader(imp, "create_dynamic", create_module) < 0 ||
        patch_loader(imp, "exec_dynamic", exec_module) < 0 ||
        patch_loader(imp, "create_builtin", create_module) < 0 ||
        patch_loader(imp, "exec_builtin", exec_module) < 0)
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

int interpose_init(const struct policy *policy, int guard_link_fd)
{
    link_fd = guard_link_fd;
    sqlite_guard_init(policy);
    if (guard_loaded_modules() < 0 || guard_monitoring() < 0)
        return -1;
    return patch_loaders();
}
