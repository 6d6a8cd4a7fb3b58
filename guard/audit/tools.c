#include "guard/audit/tools.h"

#include "guard/audit/arguments.h"
#include "guard/audit/callback.h"
#include "guard/audit/caller.h"
#include "guard/audit/plain.h"
#include "guard/audit/snapshot.h"
#include "guard/audit/tool_policy.h"
#include "guard/python/compat.h"
#include "guard/python/method_patch.h"

#include <stdio.h>
#include <string.h>

struct tool {
    struct tool *next_alike; /* another registration of the same code or built-in */
    struct tool *next;       /* in the order of registration */
    char *name;
    PyObject *callable;
    PyObject *code;          /* borrowed from the function; NULL for a built-in */
    enum tool_self self;
    PyObject *owner;
    PyObject *may_change;
    PyObject *types;         /* tuple: what counts as `owner` for TOOL_METHOD and TOOL_CLASS */
    struct tool_policy policy;
    struct snapshot *snapshot; /* NULL for a built-in, and before tools_freeze() */
    bool is_frozen;
};

/* A call of a registered built-in that is under way in this thread. */
struct native_call {
    struct native_call *outer;
    const struct tool *tools;
    const struct method_call *call;
    PyFrameObject *frame; /* who called; compared only */
};

static struct {
    struct tool *first;
    struct tool *last;
    unsigned unfrozen;
    Py_ssize_t code_index; /* in code objects: their first tool */
} registry = {.code_index = -1};

static _Thread_local struct native_call *innermost_native;
static _Thread_local bool is_asking; /* what an answer itself does has no rights */

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
        return plain_init();
    PyErr_SetString(PyExc_RuntimeError, "no room for a mark in code objects");
    return -1;
}

static struct tool *tool_of_code(PyObject *code)
{
    void *extra = NULL;

    if (compat.code_get_extra(code, registry.code_index, &extra) < 0)
        PyErr_Clear(); /* not a code object: not a tool */
    return extra;
}

static struct tool *tool_of_builtin(PyObject *callable)
{
    for (struct tool *tool = registry.first; tool != NULL; tool = tool->next)
        if (tool->code == NULL &&
            (tool->callable == callable || method_patch_same(tool->callable, callable)))
            return tool;
    return NULL;
}

static bool is_python_function(PyObject *callable)
{
    static PyTypeObject *type; /* the limited API has no name for it */

    if (type == NULL) {
        cleanup_py PyObject *types = PyImport_ImportModule("types");

        type = types != NULL ? (PyTypeObject *)PyObject_GetAttrString(types, "FunctionType") : NULL;
        PyErr_Clear();
    }
    return type != NULL && Py_TYPE(callable) == type;
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
    struct tool *alike = tool_of_code(tool->code);

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
    bool is_python = is_python_function(registration->callable);
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

static int freeze(struct tool *tool)
{
    tool->is_frozen = true;
    if (freeze_types(tool) < 0)
        return -1;
    if (tool->code == NULL)
        return freeze_builtin(tool);
    tool->snapshot = snapshot_new(tool->callable, tool->may_change);
    if (tool->snapshot == NULL || tool->policy.callable == NULL)
        return tool->snapshot != NULL ? 0 : -1;
    return snapshot_add(tool->snapshot, tool->policy.callable);
}

int tools_freeze(void)
{
    if (registry.unfrozen == 0)
        return 0;
    for (struct tool *tool = registry.first; tool != NULL; tool = tool->next)
        if (!tool->is_frozen && freeze(tool) < 0)
            return -1;
    registry.unfrozen = 0;
    return 0;
}

/* ---- is it this tool? ----------------------------------------------------------------------- */

static bool holds(PyObject *types, PyObject *type)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(types); i++)
        if (PyTuple_GetItem(types, i) == type)
            return true;
    return false;
}

static bool fits_self(const struct tool *tool, PyObject *self)
{
    switch (tool->self) {
    case TOOL_FUNCTION:
        return true;
    case TOOL_METHOD:
        return self != NULL && holds(tool->types, (PyObject *)Py_TYPE(self));
    case TOOL_CLASS:
        return self != NULL && holds(tool->types, self);
    case TOOL_INSTANCE:
        return self == tool->owner;
    }
    return false;
}

static bool runs_in(const struct tool *tool, PyFrameObject *frame, PyObject *code)
{
    cleanup_py PyObject *globals = compat.frame_globals((PyObject *)frame);
    cleanup_py PyObject *self = NULL;

    if (!tool->is_frozen || globals != compat.function_globals(tool->callable))
        return false;
    if (tool->self != TOOL_FUNCTION)
        self = arguments_first(frame, code);
    return fits_self(tool, self) && snapshot_fits_closure(tool->snapshot, frame);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static enum tools_answer refuse_changed(const struct tool *tool, const char *what,
                                        struct denial *denial)
{
    denial->rule = "allow";
    denial->remedy = "put back what was changed, or start the kernel anew";
    snprintf(denial->reason, sizeof(denial->reason),
             "%.100s has lost its rights: %.200s is not what it was when the guard closed", tool->name,
             what);
    return TOOLS_REFUSE;
}

static enum tools_answer judge(const struct tool *tool, const struct recovered *recovered,
                               const struct tools_question *question, struct denial *denial)
{
    char changed[SNAPSHOT_NAME];

    if (tool->snapshot != NULL && !snapshot_holds(tool->snapshot, changed))
        return refuse_changed(tool, changed, denial);
    return tool_policy_ask(&tool->policy, tool->name, recovered, question, denial);
}

static enum tools_answer judge_frame(const struct tool *tool, PyFrameObject *frame, PyObject *code,
                                     const struct tools_question *question, struct denial *denial)
{
    cleanup_recovered struct recovered recovered = RECOVERED_NONE;

    if (!runs_in(tool, frame, code))
        return TOOLS_SAY_NOTHING;
    if (arguments_recover(frame, code, tool->self != TOOL_FUNCTION, &recovered) < 0) {
        PyErr_Clear(); /* without its arguments a call is nobody's */
        return TOOLS_SAY_NOTHING;
    }
    return judge(tool, &recovered, question, denial);
}

static enum tools_answer judge_native(const struct tool *tool, const struct method_call *call,
                                      const struct tools_question *question, struct denial *denial)
{
    cleanup_recovered struct recovered recovered = RECOVERED_NONE;

    if (!tool->is_frozen || !fits_self(tool, call->self))
        return TOOLS_SAY_NOTHING;
    if (arguments_of_call(call->args, call->positional, call->kwnames, &recovered) < 0) {
        PyErr_Clear(); /* as above */
        return TOOLS_SAY_NOTHING;
    }
    if (tool->self != TOOL_FUNCTION)
        recovered.self = py_own(call->self);
    return judge(tool, &recovered, question, denial);
}

/* One registration that allows is enough; else the first refusal is told. */
static enum tools_answer better(enum tools_answer before, enum tools_answer now)
{
    if (before == TOOLS_ALLOW || now == TOOLS_ALLOW)
        return TOOLS_ALLOW;
    return before == TOOLS_REFUSE || now == TOOLS_REFUSE ? TOOLS_REFUSE : TOOLS_SAY_NOTHING;
}

static enum tools_answer ask_native(const struct native_call *native,
                                    const struct tools_question *question, struct denial *denial)
{
    enum tools_answer answer = TOOLS_SAY_NOTHING;

    for (const struct tool *tool = native->tools; tool != NULL && answer != TOOLS_ALLOW;
         tool = tool->next_alike)
        answer = better(answer, judge_native(tool, native->call, question, denial));
    return answer;
}

static enum tools_answer ask_frame(PyFrameObject *frame, PyObject *code,
                                   const struct tools_question *question, struct denial *denial)
{
    enum tools_answer answer = TOOLS_SAY_NOTHING;

    for (const struct tool *tool = tool_of_code(code); tool != NULL && answer != TOOLS_ALLOW;
         tool = tool->next_alike)
        answer = better(answer, judge_frame(tool, frame, code, question, denial));
    return answer;
}

static enum tools_answer walk(const struct tools_question *question, struct denial *denial)
{
    cleanup_py PyObject *frame = py_own((PyObject *)PyEval_GetFrame());
    const struct native_call *native = innermost_native;
    enum tools_answer answer = TOOLS_SAY_NOTHING;

    for (;;) {
        cleanup_py PyObject *code = NULL;
        PyObject *back;

        /* Built-ins that this frame has called stand before the frame itself. */
        for (; native != NULL && (PyObject *)native->frame == frame; native = native->outer)
            answer = better(answer, ask_native(native, question, denial));
        if (frame == NULL || answer == TOOLS_ALLOW)
            return answer;
        code = (PyObject *)PyFrame_GetCode((PyFrameObject *)frame);
        if (caller_is_marked_user(code))
            return answer; /* the barrier */
        answer = better(answer, ask_frame((PyFrameObject *)frame, code, question, denial));
        /* The host's own code counts as the user's under mk_audit(): a tool is part of it, its neighbour
           is a barrier. */
        if (answer == TOOLS_ALLOW || caller_is_user(question->scope, code))
            return answer;
        back = compat.frame_back(frame);
        Py_DECREF(frame);
        frame = back;
    }
}

enum tools_answer tools_ask(const struct tools_question *question, struct denial *ret_denial)
{
    enum tools_answer answer;

    if (registry.first == NULL || is_asking)
        return TOOLS_SAY_NOTHING;
    is_asking = true;
    answer = walk(question, ret_denial);
    is_asking = false;
    PyErr_Clear(); /* an answer is given in any case */
    return answer;
}

/* ---- what is there -------------------------------------------------------------------------- */

bool tools_hold(PyObject *callable)
{
    if (registry.first == NULL)
        return false;
    if (is_python_function(callable))
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
