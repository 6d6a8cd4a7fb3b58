#include "guard/audit/native_calls.h"

#include "guard/audit/callback.h"
#include "guard/audit/callee.h"
#include "guard/audit/caller.h"
#include "guard/audit/frame_view.h"
#include "guard/audit/hook.h"
#include "guard/audit/host_answer.h"
#include "guard/audit/tools.h"

#include <string.h>

#define TOOL_NAME "safepyrun"

static struct {
    PyObject *set_events; /* functions of sys.monitoring as they were at start */
    PyObject *set_local_events;
    PyObject *restart_events;
    PyObject *disable;
    PyObject *tool; /* the id */
    PyObject *call; /* the number of the event */
    unsigned open;
    bool has_disabled; /* a callback has switched a place off since the last restart */
} state;

/* The event keeps fastaudit's name: callbacks of hosts know it. */
static const struct event_row call_row = {.name = "fastaudit.call",
                                          .check = check_native_package,
                                          .arguments = {.name = 2},
                                          .words = "call native code of a package"};

/* ---- one call ------------------------------------------------------------------------------- */

/* What one of the host's callbacks says: DISABLE or False (both borrowed) let it pass; None: nothing; NULL: an
   exception is set. */
static PyObject *ask_one(PyObject *callback, PyObject *question)
{
    cleanup_py PyObject *answer = callback_call(callback, question);

    if (answer == NULL)
        return NULL;
    return answer == state.disable || answer == Py_False ? answer : Py_None;
}

/* The hooks that packages declare, then the host's on_call. What is known to open files no package can let pass. */
static PyObject *ask_host(const struct scope *scope, enum callee kind, PyObject *caller,
                          PyObject *callee, PyObject *const *args)
{
    const struct scope_host *host = &scope->host;
    Py_ssize_t hooks = host->monitor_hooks != NULL && kind != CALLEE_REFUSED
                           ? PyTuple_Size(host->monitor_hooks)
                           : 0;
    cleanup_py PyObject *callable = callee_for_host(args[2]);
    cleanup_py PyObject *data = callable != NULL ? host_answer_data(scope) : NULL;
    cleanup_py PyObject *no_calls = data != NULL ? PyTuple_New(0) : NULL;
    cleanup_py PyObject *seven =
        no_calls != NULL
            ? PyTuple_Pack(7, caller, callee, callable, args[0], args[1], data, no_calls)
            : NULL;
    cleanup_py PyObject *six = seven != NULL ? PyTuple_GetSlice(seven, 0, 6) : NULL;
    PyObject *answer = six != NULL ? Py_None : NULL;

    for (Py_ssize_t i = 0; answer == Py_None && i < hooks; i++)
        answer = ask_one(PyTuple_GetItem(host->monitor_hooks, i), seven);
    if (answer == Py_None && host->on_call != NULL)
        answer = ask_one(host->on_call, six);
    return answer;
}

/* Returns what the interpreter gets: None, DISABLE, or NULL with PermissionError. Borrowed. */
static PyObject *judge(const struct scope *scope, enum callee kind, PyObject *const *args)
{
    cleanup_py PyObject *callee = callee_name(scope, args[2]);
    cleanup_py PyObject *caller = callee != NULL ? frame_view_name(PyEval_GetFrame()) : NULL;
    PyObject *items[2];
    struct facts_source source = {items, NULL, 2};
    PyObject *answer = Py_None;

    if (caller == NULL)
        return NULL;
    if (scope->host.on_call != NULL || scope->host.monitor_hooks != NULL)
        answer = ask_host(scope, kind, caller, callee, args);
    state.has_disabled |= answer == state.disable;
    if (answer == NULL || answer == state.disable)
        return answer;
    if (answer == Py_False)
        return Py_None;
    items[0] = caller;
    items[1] = callee;
    return hook_judge(&call_row, &source) == 0 ? Py_None : NULL;
}

static PyObject *judge_user(const struct scope *scope, PyObject *const *args)
{
    enum callee callee = callee_ask(scope, args[2], NULL);

    return callee <= CALLEE_LISTED || tools_hold(args[2]) ? Py_None : judge(scope, callee, args);
}

/* A place in a library is not looked at again before the next entry once it has called something harmless: that is
   what keeps libraries fast, and what fastaudit does everywhere. What a list of one scope says holds for all places
   only while no other scope is entered. */
static PyObject *judge_library(const struct scope *scope, PyObject *const *args)
{
    enum callee callee = callee_ask(scope, args[2], args[0]);
    bool knows_deputy;

    if (callee <= CALLEE_STANDARD || (callee == CALLEE_LISTED && state.open == 1)) {
        state.has_disabled = true;
        return state.disable;
    }
    if (callee == CALLEE_LISTED || tools_hold(args[2]) ||
        caller_on_stack(scope, &knows_deputy) == CALLER_IMPORT)
        return Py_None;
    return judge(scope, callee, args);
}

/* What is harmless in every scope, called by code that is known: most calls. */
static PyObject *answer_at_once(PyObject *const *args)
{
    bool is_library;

    if (!callee_is_known(args[2]))
        return NULL;
    if (state.open == 0)
        return Py_None;
    if (!caller_is_settled(args[0], &is_library))
        return NULL;
    state.has_disabled |= is_library;
    return is_library ? state.disable : Py_None;
}

/* (code, offset, callable, first argument) */
static PyObject *on_call(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    const struct scope *scope;
    PyObject *answer = count < 3 ? Py_None : answer_at_once(args);

    (void)self;
    if (answer != NULL)
        return py_own(answer);
    scope = scope_current();
    if (scope == NULL || !scope->monitors)
        return py_own(Py_None);
    if (caller_is_user(scope, args[0]))
        return py_own(judge_user(scope, args));
    return py_own(scope->judges_host_code ? judge_library(scope, args) : Py_None);
}

static PyMethodDef on_call_method = {"on_call", (PyCFunction)(void *)on_call, METH_FASTCALL, NULL};

/* ---- the tool ------------------------------------------------------------------------------- */

static int take_tool(PyObject *monitoring, int tool_id)
{
    cleanup_py PyObject *owner = PyObject_CallMethod(monitoring, "get_tool", "i", tool_id);
    cleanup_py PyObject *taken = NULL;

    if (owner == NULL)
        return -1;
    if (owner != Py_None) {
        PyErr_Format(PyExc_RuntimeError, "sys.monitoring tool id %d is already used by %R", tool_id,
                     owner);
        return -1;
    }
    taken = PyObject_CallMethod(monitoring, "use_tool_id", "is", tool_id, TOOL_NAME);
    return taken != NULL ? 0 : -1;
}

static int remember_functions(PyObject *monitoring)
{
    cleanup_py PyObject *events = PyObject_GetAttrString(monitoring, "events");

    state.set_events = PyObject_GetAttrString(monitoring, "set_events");
    state.set_local_events = PyObject_GetAttrString(monitoring, "set_local_events");
    state.restart_events = PyObject_GetAttrString(monitoring, "restart_events");
    state.disable = PyObject_GetAttrString(monitoring, "DISABLE");
    state.call = events != NULL ? PyObject_GetAttrString(events, "CALL") : NULL;
    return state.set_events != NULL && state.set_local_events != NULL &&
                   state.restart_events != NULL && state.disable != NULL && state.call != NULL
               ? 0
               : -1;
}

int native_calls_start(int tool_id)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    cleanup_py PyObject *callback = NULL;
    cleanup_py PyObject *registered = NULL;

    if (monitoring == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "monitor_calls=True requires Python 3.12 or later");
        return -1;
    }
    if (state.tool != NULL) {
        if (PyLong_AsLong(state.tool) == tool_id)
            return 0;
        PyErr_Format(PyExc_RuntimeError, "safepyrun already uses sys.monitoring tool id %ld",
                     PyLong_AsLong(state.tool));
        return -1;
    }
    if (callee_start() < 0 || remember_functions(monitoring) < 0 ||
        take_tool(monitoring, tool_id) < 0)
        return -1;
    callback = PyCFunction_NewEx(&on_call_method, NULL, NULL);
    if (callback != NULL)
        registered = PyObject_CallMethod(monitoring, "register_callback", "iOO", tool_id,
                                         state.call, callback);
    if (registered == NULL)
        return -1;
    state.tool = PyLong_FromLong(tool_id);
    return state.tool != NULL ? 0 : -1;
}

/* Functions of sys.monitoring are refused to everybody but the guard's own work. */
static int call_own(PyObject *function, PyObject *one, PyObject *two, PyObject *three)
{
    PyObject *result;

    caller_begin_host_work();
    result = PyObject_CallFunctionObjArgs(function, one, two, three, NULL);
    caller_end_host_work();
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int native_calls_watch(PyObject *code)
{
    cleanup_py PyObject *constants = PyObject_GetAttrString(code, "co_consts");

    if (constants == NULL || call_own(state.set_local_events, state.tool, code, state.call) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PyTuple_Size(constants); i++) {
        PyObject *item = PyTuple_GetItem(constants, i);

        if (Py_TYPE(item) == Py_TYPE(code) && native_calls_watch(item) < 0)
            return -1;
    }
    return 0;
}

static int set_events(PyObject *events)
{
    return call_own(state.set_events, state.tool, events, NULL);
}

int native_calls_begin(void)
{
    if (state.open > 0 || set_events(state.call) == 0) {
        state.open++;
        return 0;
    }
    return -1;
}

int native_calls_end(void)
{
    cleanup_py PyObject *none = PyLong_FromLong(0);

    state.open--;
    return state.open > 0 ? 0 : (none != NULL ? set_events(none) : -1);
}

int native_calls_restart(void)
{
    if (!state.has_disabled)
        return 0;
    state.has_disabled = false;
    return call_own(state.restart_events, NULL, NULL, NULL);
}

int native_calls_tool(void)
{
    return state.tool != NULL ? (int)PyLong_AsLong(state.tool) : -1;
}

unsigned native_calls_open(void)
{
    return state.open;
}
