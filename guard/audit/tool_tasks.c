#include "guard/audit/tool_tasks.h"

#include "guard/audit/caller.h"
#include "guard/audit/carriers.h"
#include "guard/audit/slot_patch.h"
#include "guard/audit/surroundings.h"
#include "guard/audit/tool.h"
#include "guard/python/stack.h"

#include <stdio.h>
#include <string.h>

enum { CO_COROUTINE_FLAG = 0x80 };

/* A task's coroutine, and that of the call for which it runs: weak references. */
struct birth {
    PyObject *coroutine;
    PyObject *owner;
    const struct tool *tool;
};

static struct {
    bool started;
    initproc init;          /* of asyncio's Task */
    PyTypeObject *coroutine_type;
    PyObject *run;          /* code of asyncio.events.Handle._run, by which a loop runs a step of a task */
    PyObject *running_loop; /* asyncio.events._get_running_loop, the built-in one */
    struct birth *births;
    size_t count;
    size_t room;
} tasks;

bool tool_tasks_is_coroutine(PyObject *code)
{
    cleanup_py PyObject *flags = PyObject_GetAttrString(code, "co_flags");
    long value = flags != NULL ? PyLong_AsLong(flags) : 0;

    PyErr_Clear();
    return (value & CO_COROUTINE_FLAG) != 0;
}

/* ---- what is remembered ---------------------------------------------------------------------- */

static bool is_alive(PyObject *reference)
{
    cleanup_py PyObject *object = compat_referent(reference);

    return object != NULL;
}

static bool leads_to(PyObject *reference, PyObject *object)
{
    cleanup_py PyObject *its = compat_referent(reference);

    return its == object;
}

static void purge(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < tasks.count; i++) {
        struct birth birth = tasks.births[i];

        if (is_alive(birth.coroutine) && is_alive(birth.owner)) {
            tasks.births[kept++] = birth;
            continue;
        }
        Py_DECREF(birth.coroutine);
        Py_DECREF(birth.owner);
    }
    tasks.count = kept;
}

/* Borrowed from the list, until the next task. */
static const struct birth *find(PyObject *coroutine)
{
    for (size_t i = 0; coroutine != NULL && i < tasks.count; i++)
        if (leads_to(tasks.births[i].coroutine, coroutine))
            return &tasks.births[i];
    return NULL;
}

static void remember(PyObject *coroutine, PyObject *owner, const struct tool *tool)
{
    struct birth birth = {PyWeakref_NewRef(coroutine, NULL), PyWeakref_NewRef(owner, NULL), tool};

    if (birth.coroutine == NULL || birth.owner == NULL) {
        Py_XDECREF(birth.coroutine);
        Py_XDECREF(birth.owner);
        return;
    }
    if (tasks.count == tasks.room) {
        tasks.room = tasks.room > 0 ? 2 * tasks.room : 16;
        tasks.births = xrealloc(tasks.births, tasks.room * sizeof(*tasks.births));
    }
    tasks.births[tasks.count++] = birth;
}

/* ---- a task is made -------------------------------------------------------------------------- */

/* The tool that runs in this frame and can name the code; NULL for none. */
static const struct tool *tool_in(PyObject *frame, PyObject *frame_code, PyObject *code)
{
    for (const struct tool *tool = tool_of_code(frame_code); tool != NULL; tool = tool->next_alike)
        if (tool->snapshot != NULL && tool_tasks_is_coroutine(frame_code) &&
            tool_runs_in(tool, (PyFrameObject *)frame, frame_code) && snapshot_names_code(tool->snapshot, code))
            return tool;
    return NULL;
}

/* Is a tool making this task, or a task of a tool's? Then it is remembered. */
static void look_outwards(PyObject *coroutine, PyObject *code, const struct scope *scope)
{
    cleanup_signal_handlers struct signal_handlers handlers;
    cleanup_py PyObject *frame = stack_innermost();

    signal_handlers_read(&handlers);
    for (; frame != NULL && !tools_are_apart_from(frame); stack_step_out(&frame)) {
        cleanup_py PyObject *frame_code = stack_code(frame);
        cleanup_py PyObject *generator = NULL;
        cleanup_py PyObject *owner = NULL;
        const struct tool *tool;
        const struct birth *birth;

        if (caller_is_marked_user(frame_code) || surroundings_are_barrier(&handlers, frame_code))
            return;
        generator = compat.frame_generator(frame);
        tool = generator != NULL ? tool_in(frame, frame_code, code) : NULL;
        birth = tool == NULL ? find(generator) : NULL;
        owner = birth != NULL ? compat_referent(birth->owner) : NULL;
        if (tool != NULL)
            remember(coroutine, generator, tool);
        else if (owner != NULL && snapshot_names_code(birth->tool->snapshot, code))
            remember(coroutine, owner, birth->tool);
        if (tool != NULL || birth != NULL || caller_is_user(scope, frame_code))
            return;
    }
}

static void note(PyObject *coroutine)
{
    const struct scope *scope = scope_current();
    cleanup_py PyObject *code = scope != NULL ? PyObject_GetAttrString(coroutine, "cr_code") : NULL;

    purge();
    if (code != NULL && find(coroutine) == NULL && !caller_is_marked_user(code))
        look_outwards(coroutine, code, scope);
    PyErr_Clear(); /* a task that nobody remembers has no rights */
}

static int init_task(PyObject *self, PyObject *args, PyObject *keywords)
{
    PyObject *coroutine = PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0)
                          : keywords != NULL     ? PyDict_GetItemString(keywords, "coro")
                                                 : NULL;

    if (coroutine != NULL && Py_TYPE(coroutine) == tasks.coroutine_type)
        note(coroutine);
    return tasks.init(self, args, keywords);
}

/* ---- a step of a task ------------------------------------------------------------------------ */

/* Run by the loop, and by nobody who holds the coroutine. */
static bool is_run_by_loop(PyObject *frame)
{
    cleanup_py PyObject *outer = compat.frame_back(frame);
    cleanup_py PyObject *code = outer != NULL ? stack_code(outer) : NULL;

    return code != NULL && code == tasks.run;
}

PyObject *tool_tasks_owner(PyObject *frame)
{
    cleanup_py PyObject *generator = tasks.count > 0 ? compat.frame_generator(frame) : NULL;
    const struct birth *birth = find(generator);
    cleanup_py PyObject *owner = NULL;
    cleanup_py PyObject *owner_frame = NULL;

    if (birth == NULL || !is_run_by_loop(frame))
        return NULL;
    owner = compat_referent(birth->owner);
    if (owner == NULL || Py_TYPE(owner) != tasks.coroutine_type)
        return NULL;
    owner_frame = PyObject_GetAttrString(owner, "cr_frame");
    PyErr_Clear();
    return owner_frame != Py_None ? steal(owner_frame) : NULL; /* a call that is over has none */
}

/* ---- the loop -------------------------------------------------------------------------------- */

bool tool_tasks_loop_holds(char ret_changed[TOOL_TASKS_WORDS])
{
    cleanup_py PyObject *loop = tasks.started ? PyObject_CallFunctionObjArgs(tasks.running_loop, NULL) : NULL;
    cleanup_py PyObject *space = loop != NULL && loop != Py_None ? PyObject_GenericGetDict(loop, NULL) : NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;
    bool holds;

    PyErr_Clear(); /* no loop, or one without a __dict__ */
    holds = space == NULL || PyDict_CheckExact(space); /* another one is a cell's */
    while (space != NULL && holds && PyDict_Next(space, &at, &name, &value))
        holds = !carriers_is_one(value);
    if (!holds)
        snprintf(ret_changed, TOOL_TASKS_WORDS, "the event loop");
    return holds;
}

/* ---- beginning ------------------------------------------------------------------------------- */

static PyObject *code_of_run(void)
{
    cleanup_py PyObject *events = PyImport_ImportModule("asyncio.events");
    cleanup_py PyObject *handle = events != NULL ? PyObject_GetAttrString(events, "Handle") : NULL;
    cleanup_py PyObject *run = handle != NULL ? PyObject_GetAttrString(handle, "_run") : NULL;

    if (events != NULL)
        tasks.running_loop = PyObject_GetAttrString(events, "_get_running_loop");
    return run != NULL ? PyObject_GetAttrString(run, "__code__") : NULL;
}

int tool_tasks_start(bool is_wanted)
{
    cleanup_py PyObject *types = NULL;
    cleanup_py PyObject *module = NULL;
    cleanup_py PyObject *task = NULL;
    void *original;

    if (tasks.started || !is_wanted)
        return 0;
    types = PyImport_ImportModule("types");
    module = PyImport_ImportModule("asyncio");
    task = module != NULL ? PyObject_GetAttrString(module, "Task") : NULL;
    tasks.coroutine_type = types != NULL ? (PyTypeObject *)PyObject_GetAttrString(types, "CoroutineType") : NULL;
    tasks.run = code_of_run();
    if (task == NULL || tasks.coroutine_type == NULL || tasks.run == NULL || tasks.running_loop == NULL ||
        slot_patch(task, SLOT_INIT, init_task, &original) < 0)
        return PyErr_Occurred() ? -1 : 0; /* a Task of another kind: tasks have no rights */
    memcpy(&tasks.init, &original, sizeof(original));
    tasks.started = true;
    return 0;
}
