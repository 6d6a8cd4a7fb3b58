#include "guard/audit/tools.h"

#include "guard/audit/class_parts.h"
#include "guard/audit/plain.h"
#include "guard/audit/surroundings.h"
#include "guard/audit/tool.h"
#include "guard/audit/tool_tasks.h"
#include "guard/python/compat.h"

#include <string.h>

static struct {
    struct tool *first;
    struct tool *last;
    unsigned unfrozen;
    Py_ssize_t code_index; /* in code objects: their first tool */
} registry = {.code_index = -1};

static _Thread_local struct native_call *innermost_native;

bool tools_exist(void)
{
    return registry.first != NULL;
}

/* ---- registration --------------------------------------------------------------------------- */

static int make_room(void)
{
    if (registry.code_index >= 0)
        return 0;
    registry.code_index = compat.request_code_extra_index(NULL);
    if (registry.code_index >= 0)
        return plain_init() < 0 ? -1 : class_parts_init();
    PyErr_SetString(PyExc_RuntimeError, "no room for a mark in code objects");
    return -1;
}

static struct tool *first_of_code(PyObject *code)
{
    void *extra = NULL;

    if (compat.code_get_extra(code, registry.code_index, &extra) < 0)
        PyErr_Clear(); /* not a code object: not a tool */
    return extra;
}

const struct tool *tool_of_code(PyObject *code)
{
    return first_of_code(code);
}

const struct native_call *tool_native_call(void)
{
    return innermost_native;
}

static struct tool *tool_of_builtin(PyObject *callable)
{
    for (struct tool *tool = registry.first; tool != NULL; tool = tool->next)
        if (tool->code == NULL &&
            (tool->callable == callable || method_patch_same(tool->callable, callable)))
            return tool;
    return NULL;
}

static struct tool *tool_new(const struct tool_registration *registration)
{
    struct tool *tool = xcalloc(1, sizeof(*tool));

    *tool = (struct tool){.name = xstrdup(registration->name),
                          .callable = py_own(registration->callable),
                          .self = registration->self,
                          .owner = py_own(registration->owner),
                          .may_change = registration->may_change == Py_None
                                            ? NULL
                                            : py_own(registration->may_change)};
    return tool;
}

/* Behind the others of the same code, if there are any. */
static int link_to_code(struct tool *tool)
{
    struct tool *alike = first_of_code(tool->code);

    if (alike == NULL)
        return compat.code_set_extra(tool->code, registry.code_index, tool);
    while (alike->next_alike != NULL)
        alike = alike->next_alike;
    alike->next_alike = tool;
    return 0;
}

static void append(struct tool *tool)
{
    if (registry.last != NULL)
        registry.last->next = tool;
    else
        registry.first = tool;
    registry.last = tool;
    registry.unfrozen++;
}

int tools_add(const struct tool_registration *registration)
{
    bool is_python = class_is_function(registration->callable);
    struct tool_policy policy;
    struct tool *tool;

    if (make_room() < 0 || tool_policy_read(registration->policy, &policy) < 0)
        return -1;
    tool = tool_new(registration);
    tool->policy = policy;
    if (is_python) {
        tool->code = compat.function_code(tool->callable);
        if (link_to_code(tool) < 0)
            return -1;
    }
    append(tool);
    return 0;
}

/* ---- taking back ---------------------------------------------------------------------------- */

size_t tools_count(void)
{
    size_t count = 0;

    for (const struct tool *tool = registry.first; tool != NULL; tool = tool->next)
        count++;
    return count;
}

static void unlink_from_code(struct tool *tool)
{
    struct tool *alike = first_of_code(tool->code);

    if (alike == tool) {
        compat.code_set_extra(tool->code, registry.code_index, tool->next_alike);
        return;
    }
    while (alike->next_alike != tool)
        alike = alike->next_alike;
    alike->next_alike = tool->next_alike;
}

static void forget_ground(struct tool *tool)
{
    Py_CLEAR(tool->types);
    snapshot_free(steal(tool->snapshot));
}

static void tool_free(struct tool *tool)
{
    forget_ground(tool);
    Py_XDECREF(tool->callable);
    Py_XDECREF(tool->owner);
    Py_XDECREF(tool->may_change);
    Py_XDECREF(tool->policy.callable);
    free(tool->name);
    free(tool);
}

void tools_forget(size_t count)
{
    struct tool **at = &registry.first;
    struct tool *kept = NULL;

    for (size_t i = 0; *at != NULL; i++) {
        struct tool *tool = *at;

        if (i < count || tool->is_frozen) {
            kept = tool;
            at = &tool->next;
            continue;
        }
        *at = tool->next;
        if (tool->code != NULL)
            unlink_from_code(tool);
        tool_free(tool);
        registry.unfrozen--;
    }
    registry.last = kept;
}

/* ---- closing -------------------------------------------------------------------------------- */

/* The class and all that are derived from it by now: Path() makes a PosixPath. */
static int collect_types(PyObject *type, PyObject *list)
{
    cleanup_py PyObject *derived = NULL;

    if (PyList_Append(list, type) < 0)
        return -1;
    derived = PyObject_CallMethod((PyObject *)&PyType_Type, "__subclasses__", "O", type);
    for (Py_ssize_t i = 0; derived != NULL && i < PyList_Size(derived); i++)
        if (collect_types(PyList_GetItem(derived, i), list) < 0)
            return -1;
    return derived != NULL ? 0 : -1;
}

static int freeze_types(struct tool *tool)
{
    cleanup_py PyObject *list = NULL;

    if (tool->self != TOOL_METHOD && tool->self != TOOL_CLASS)
        return 0;
    list = PyList_New(0);
    if (list == NULL || collect_types(tool->owner, list) < 0)
        return -1;
    tool->types = PyList_AsTuple(list);
    return tool->types != NULL ? 0 : -1;
}

static PyObject *run_builtin(const struct method_call *call, void *data)
{
    struct native_call here = {innermost_native, data, call, PyEval_GetFrame()};
    PyObject *result;

    innermost_native = &here;
    result = method_call_next(call);
    innermost_native = here.outer;
    return result;
}

/* Built-ins are patched late, so that ours stands before the patch that judges the call. */
static int freeze_builtin(struct tool *tool)
{
    struct tool *alike = tool_of_builtin(tool->callable);

    if (!method_patch_fits(tool->callable))
        return 0;
    if (alike != tool) {
        while (alike->next_alike != NULL)
            alike = alike->next_alike;
        alike->next_alike = tool;
        return 0;
    }
    if (method_patch(tool->callable, run_builtin, tool) == 0)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "allow(): too many built-in functions (at %s)", tool->name);
    return -1;
}

/* Where the methods come from that `self` has. */
static PyObject *class_of(const struct tool *tool)
{
    return PyType_Check(tool->owner) ? tool->owner : (PyObject *)Py_TYPE(tool->owner);
}

static int read_ground(struct tool *tool, PyObject *plain)
{
    if (freeze_types(tool) < 0)
        return -1;
    if (tool->code == NULL)
        return freeze_builtin(tool);
    if (tool->policy.only_files)
        return 0; /* no right to take away */
    tool->snapshot = snapshot_new(tool->callable, tool->may_change, plain);
    if (tool->snapshot == NULL)
        return -1;
    if (tool->self != TOOL_FUNCTION && snapshot_add_class(tool->snapshot, class_of(tool)) < 0)
        return -1;
    if (tool->policy.callable == NULL)
        return 0;
    return snapshot_add(tool->snapshot, tool->policy.callable);
}

/* A tool whose ground could not be read whole has no rights, and the next closing tries again. */
static int freeze(struct tool *tool, PyObject *plain)
{
    if (read_ground(tool, plain) < 0) {
        forget_ground(tool);
        return -1;
    }
    tool->is_frozen = true;
    return 0;
}

static bool has_coroutine(void)
{
    for (const struct tool *tool = registry.first; tool != NULL; tool = tool->next)
        if (tool->code != NULL && tool_tasks_is_coroutine(tool->code))
            return true;
    return false;
}

int tools_freeze(void)
{
    cleanup_py PyObject *plain = NULL;

    if (registry.unfrozen == 0)
        return 0;
    plain = PySet_New(NULL);
    if (plain == NULL || surroundings_freeze() < 0)
        return -1;
    for (struct tool *tool = registry.first; tool != NULL; tool = tool->next)
        if (!tool->is_frozen && freeze(tool, plain) < 0)
            return -1;
    registry.unfrozen = 0;
    return tool_tasks_start(has_coroutine());
}

/* ---- what is there -------------------------------------------------------------------------- */

bool tools_hold(PyObject *callable)
{
    if (registry.first == NULL)
        return false;
    if (class_is_function(callable))
        return tool_of_code(compat.function_code(callable)) != NULL;
    return tool_of_builtin(callable) != NULL;
}

int tools_set_data(PyObject *dict)
{
    if (make_room() < 0)
        return -1;
    return tool_policy_set_data(dict);
}

PyObject *tools_names(void)
{
    cleanup_py PyObject *names = PyList_New(0);

    for (struct tool *tool = registry.first; names != NULL && tool != NULL; tool = tool->next) {
        cleanup_py PyObject *name = PyUnicode_FromString(tool->name);

        if (name == NULL || PyList_Append(names, name) < 0)
            return NULL;
    }
    return steal(names);
}
