#include "guard/audit/trace_guard.h"

#include "guard/audit/caller.h"
#include "guard/audit/hook.h"
#include "guard/python/compat.h"
#include "guard/python/frame_locals.h"
#include "guard/python/method_patch.h"
#include "guard/python/py_cleanup.h"

#include <stdbool.h>
#include <string.h>

static const struct event_row set_row = {.name = "sys.settrace",
                                         .check = check_library,
                                         .arguments = INNERMOST,
                                         .words = "trace the interpreter"};
static const struct event_row never_row = {.name = "sys.settrace",
                                           .check = check_never,
                                           .arguments = NOTHING,
                                           .words = "trace the interpreter"};
static const struct event_row jump_row = {.name = "frame.f_lineno",
                                          .check = check_never,
                                          .arguments = NOTHING,
                                          .words = "jump to another line of running code"};

/* By CPython's number of the event. NULL: not for trace functions. */
#define EVENT_CALL 0
static const char *const event_names[] = {"call", "exception", "line", "return",
                                          NULL,   NULL,        NULL,   "opcode"};
#define EVENT_COUNT ((int)(sizeof(event_names) / sizeof(event_names[0])))

static struct {
    bool started;
    unsigned long thread; /* the one that runs cells; a debugger can ask in no other */
    setter set_line;
    PyObject *gettrace; /* as it was before a cell could put another one there */
} state;

static _Thread_local bool is_tracing;

/* ---- an event -------------------------------------------------------------------------------- */

/* `callback` must be held by the caller until afterwards: what its end runs is not the guard's own
 * work. */
static void install(compat_trace_function function, PyObject *callback)
{
    caller_begin_host_work();
    compat.set_trace(function, callback);
    caller_end_host_work();
    is_tracing = function != NULL;
}

static void stop(void)
{
    cleanup_py PyObject *callback = NULL;
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    callback = PyObject_CallNoArgs(state.gettrace);
    install(NULL, NULL);
    PyErr_Restore(type, value, traceback);
}

static PyObject *call(PyObject *callback, PyObject *frame, const char *event, PyObject *argument)
{
    bool copies = !compat_at_least(13); /* later, f_locals are the variables themselves */
    cleanup_py PyObject *name = PyUnicode_InternFromString(event);
    cleanup_py PyObject *locals = copies ? PyObject_GetAttrString(frame, "f_locals") : NULL;
    PyObject *result;

    if (name == NULL || (copies && locals == NULL))
        return NULL;
    result = PyObject_CallFunctionObjArgs(callback, frame, name,
                                          argument != NULL ? argument : Py_None, NULL);
    if (result != NULL && copies)
        frame_locals_write_back(frame, locals);
    return result;
}

/* As sys.settrace() has it: the function that was set sees calls, and what it returned the rest of
 * that frame. */
static PyObject *callback_for(PyObject *function, PyObject *frame, int event)
{
    PyObject *local;

    if (event == EVENT_CALL)
        return py_own(function);
    local = PyObject_GetAttrString(frame, "f_trace");
    if (local == NULL)
        PyErr_Clear();
    return local;
}

static int on_event(PyObject *function, PyFrameObject *traced, int event, PyObject *argument)
{
    PyObject *frame = (PyObject *)traced;
    cleanup_py PyObject *code = (PyObject *)PyFrame_GetCode(traced);
    cleanup_py PyObject *callback = NULL;
    cleanup_py PyObject *result = NULL;

    if (!caller_is_marked_user(code) || event < 0 || event >= EVENT_COUNT ||
        event_names[event] == NULL)
        return 0;
    callback = callback_for(function, frame, event);
    if (callback == NULL || callback == Py_None)
        return 0;
    result = call(callback, frame, event_names[event], argument);
    if (result == NULL) {
        stop();
        return -1;
    }
    return result != Py_None ? PyObject_SetAttrString(frame, "f_trace", result) : 0;
}

/* ---- sys.settrace() -------------------------------------------------------------------------- */

/* An interrupt at pdb's prompt ends the cell, not the line alone. */
static int make_interruptible(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._debugger");
    cleanup_py PyObject *result =
        module != NULL ? PyObject_CallMethod(module, "make_interruptible", NULL) : NULL;

    return result != NULL ? 0 : -1;
}

/* The preset "open" judges nothing, and sees everything. */
static PyObject *set_unfiltered(const struct method_call *call, const PyObject *callback)
{
    PyObject *result = method_call_next(call);

    if (result != NULL)
        is_tracing = callback != Py_None;
    return result;
}

static PyObject *set_trace(const struct method_call *call, void *data)
{
    PyObject *callback = call->positional == 1 && call->kwnames == NULL ? call->args[0] : NULL;
    cleanup_py PyObject *old = NULL;

    (void)data;
    if (!scope_is_process_armed())
        return hook_judge(&never_row, NULL) < 0 ? NULL : method_call_next(call);
    if (hook_judge(compat_thread_ident() == state.thread ? &set_row : &never_row, NULL) < 0)
        return NULL;
    if (callback == NULL)
        return method_call_next(call); /* says what is wrong with the arguments, or is refused */
    if (callback != Py_None && make_interruptible() < 0)
        return NULL;
    if (scope_current() == NULL)
        return set_unfiltered(call, callback);
    old = PyObject_CallNoArgs(state.gettrace);
    if (old == NULL)
        return NULL;
    if (callback == Py_None)
        install(NULL, NULL);
    else
        install(on_event, callback);
    return py_own(Py_None);
}

void trace_guard_end_request(void)
{
    if (is_tracing)
        stop();
}

/* ---- start ----------------------------------------------------------------------------------- */

/* pdb expects ValueError, says what it says, and asks on. The denial is on record. */
static int set_line(PyObject *frame, PyObject *value, void *closure)
{
    if (hook_judge(&jump_row, NULL) == 0)
        return state.set_line(frame, value, closure);
    PyErr_SetString(PyExc_ValueError, "safepyrun refused to jump to another line of running code");
    return -1;
}

/* The definition is shared by all references to the attribute. */
static bool guard_lines(void)
{
    PyGetSetDef *attribute = PyType_GetSlot(compat.frame_type, Py_tp_getset);

    for (; attribute != NULL && attribute->name != NULL; attribute++) {
        if (strcmp(attribute->name, "f_lineno") != 0 || attribute->set == NULL)
            continue;
        state.set_line = attribute->set;
        attribute->set = set_line;
        return true;
    }
    PyErr_Clear();
    return false;
}

int trace_guard_start(void)
{
    PyObject *settrace = PySys_GetObject("settrace");
    PyObject *gettrace = PySys_GetObject("gettrace");

    if (state.started)
        return 0;
    /* Otherwise the event refuses everybody. */
    if (settrace == NULL || gettrace == NULL || !method_patch_fits(settrace) || !guard_lines())
        return 0;
    state.gettrace = py_own(gettrace);
    state.thread = compat_thread_ident();
    if (method_patch(settrace, set_trace, NULL) != 0) {
        PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot guard sys.settrace");
        return -1;
    }
    state.started = true;
    return 0;
}
