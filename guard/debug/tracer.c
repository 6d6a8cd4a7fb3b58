#include "guard/debug/tracer.h"

#include "guard/debug/breakpoints.h"
#include "guard/debug/debug.h"
#include "guard/debug/evaluate.h"
#include "guard/debug/stop.h"
#include "guard/python/cell.h"
#include "guard/python/compat.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"

#include <time.h>

/* CPython's numbers of the events, which the limited API leaves out. */
enum { EVENT_CALL, EVENT_EXCEPTION, EVENT_LINE, EVENT_RETURN };
enum { LOOK_MS = 20 }; /* how often the link is looked at while a cell runs */

static struct {
    bool installed;
    const char *stops_next; /* at the next line, and why; NULL: does not */
    PyObject *hook;         /* breakpoint()'s while it is ours */
    enum tracer_step step;
    PyObject *step_frame;  /* NULL while stepping: the next line at the top of a cell */
    PyObject *raised;      /* the exception that stopped last: held, or another one could take its address */
    PyObject *unhandled;   /* traceback of what leaves the outermost frame unless a line follows */
    PyObject *outermost;   /* that frame; compared only */
    int64_t looked_ms;
} tracer;

static bool is_user_frame(PyObject *frame)
{
    cleanup_py PyObject *code = (PyObject *)PyFrame_GetCode((PyFrameObject *)frame);

    return cell_hooks()->is_user_code(code);
}

/* The next frame of user code outwards, new; NULL for none. */
static PyObject *user_caller(PyObject *frame)
{
    PyObject *back = compat.frame_back(frame);

    while (back != NULL && !is_user_frame(back)) {
        PyObject *next = compat.frame_back(back);

        Py_DECREF(back);
        back = next;
    }
    return back;
}

static void set_step(enum tracer_step step, PyObject *frame)
{
    PyObject *before = tracer.step_frame;

    tracer.step = step;
    tracer.step_frame = py_own(frame);
    Py_XDECREF(before);
}

void tracer_go_on(enum tracer_step step, PyObject *frame)
{
    set_step(step, step == STEP_NEXT || step == STEP_OUT ? frame : NULL);
}

void tracer_pause(void)
{
    tracer.stops_next = "pause";
}

/* ---- events ----------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A pause, and changed breakpoints, while the cell runs. Returns 0 or -1. */
static int look_at_link(void)
{
    int64_t now = now_ms();
    struct frame frame;

    if (now - tracer.looked_ms < LOOK_MS)
        return 0;
    tracer.looked_ms = now;
    while (link_end_look_for(FRAME_DEBUG, &frame))
        if (debug_take_while_running(&frame) < 0)
            return -1;
    return 0;
}

/* A condition that fails stops, too: the person sees why when asking for it again. */
static bool is_breakpoint(PyObject *frame, PyObject *code)
{
    PyObject *condition;
    int result;

    if (!breakpoints_at(code, PyFrame_GetLineNumber((PyFrameObject *)frame), &condition))
        return false;
    if (condition == NULL)
        return true;
    result = evaluate_condition(frame, condition);
    if (result < 0)
        PyErr_Clear();
    return result != 0;
}

static bool is_cells_top(PyObject *frame, PyObject *code)
{
    cleanup_py PyObject *name = PyObject_GetAttrString(code, "co_name");
    cleanup_py PyObject *caller = user_caller(frame);

    return caller == NULL && name != NULL && PyUnicode_Check(name) &&
           PyUnicode_CompareWithASCIIString(name, "<module>") == 0;
}

static bool is_step(PyObject *frame, PyObject *code)
{
    switch (tracer.step) {
    case STEP_IN:
        return true;
    case STEP_NEXT:
        return tracer.step_frame != NULL ? frame == tracer.step_frame : is_cells_top(frame, code);
    default:
        return false;
    }
}

static int on_line(PyObject *frame, PyObject *code)
{
    const char *reason = NULL;

    if (frame == tracer.outermost)
        Py_CLEAR(tracer.unhandled);
    if (tracer.stops_next != NULL)
        reason = tracer.stops_next;
    else if (is_breakpoint(frame, code))
        reason = "breakpoint";
    else if (is_step(frame, code))
        reason = "step";
    if (reason == NULL)
        return 0;
    tracer.stops_next = NULL;
    return stop_here(frame, reason, NULL);
}

/* A step that leaves its function ends where that was called from; at the end of a statement, in the next one. */
static void leave_step_frame(PyObject *frame)
{
    cleanup_py PyObject *caller = NULL;

    if (frame != tracer.step_frame || (tracer.step != STEP_NEXT && tracer.step != STEP_OUT))
        return;
    caller = user_caller(frame);
    set_step(STEP_NEXT, caller);
}

static int on_return(PyObject *frame)
{
    cleanup_py PyObject *traceback = NULL;

    leave_step_frame(frame);
    if (frame != tracer.outermost)
        return 0;
    tracer.outermost = NULL;
    traceback = steal(tracer.unhandled);
    return traceback != NULL ? stop_here(frame, "exception", traceback) : 0;
}

/* How generators and loops end is no error. */
static bool is_an_end(PyObject *type)
{
    return PyErr_GivenExceptionMatches(type, PyExc_StopIteration) ||
           PyErr_GivenExceptionMatches(type, PyExc_StopAsyncIteration) ||
           PyErr_GivenExceptionMatches(type, PyExc_GeneratorExit);
}

static int note_exception(PyObject *frame, PyObject *traceback)
{
    cleanup_py PyObject *caller = user_caller(frame);

    if (caller != NULL)
        return 0;
    Py_CLEAR(tracer.unhandled);
    tracer.unhandled = py_own(traceback);
    tracer.outermost = frame;
    return 0;
}

/* argument: (type, value, traceback). It is told once in every frame that the exception passes. */
static int on_exception(PyObject *frame, PyObject *argument)
{
    PyObject *type = PyTuple_Check(argument) ? PyTuple_GetItem(argument, 0) : NULL;
    PyObject *value = type != NULL ? PyTuple_GetItem(argument, 1) : NULL;

    if (value == NULL || !PyType_Check(type) || is_an_end(type) ||
        PyErr_GivenExceptionMatches(type, PyExc_KeyboardInterrupt))
        return 0;
    if (breakpoints_stops_at_raised() && value != tracer.raised) {
        Py_XDECREF(tracer.raised);
        tracer.raised = py_own(value);
        return stop_here(frame, "exception", NULL);
    }
    if (breakpoints_stops_at_uncaught() && value != tracer.raised)
        return note_exception(frame, PyTuple_GetItem(argument, 2));
    return 0;
}

static int on_event(PyObject *unused, PyFrameObject *traced, int event, PyObject *argument)
{
    PyObject *frame = (PyObject *)traced;
    cleanup_py PyObject *code = (PyObject *)PyFrame_GetCode(traced);

    (void)unused;
    if (!cell_hooks()->is_user_code(code) || link_end_is_detached())
        return 0;
    if (look_at_link() < 0)
        return -1;
    switch (event) {
    case EVENT_LINE:
        return on_line(frame, code);
    case EVENT_RETURN:
        return on_return(frame);
    case EVENT_EXCEPTION:
        return on_exception(frame, argument);
    default:
        return 0;
    }
}

/* ---- around a request ------------------------------------------------------------------------- */

static void install(compat_trace_function function)
{
    cell_hooks()->begin_host_work();
    compat.set_trace(function, NULL);
    cell_hooks()->end_host_work();
    tracer.installed = function != NULL;
}

/* In place of pdb: the front end stops at the line after it. */
static PyObject *breakpoint_here(PyObject *self, PyObject *args, PyObject *kwargs)
{
    (void)self;
    (void)args;
    (void)kwargs;
    tracer.stops_next = "breakpoint";
    return py_own(Py_None);
}

static PyMethodDef hook_method = {"breakpointhook", (PyCFunction)(void (*)(void))breakpoint_here,
                                  METH_VARARGS | METH_KEYWORDS, NULL};

static bool hook_is(PyObject *expected)
{
    return expected != NULL && PySys_GetObject("breakpointhook") == expected;
}

/* What a cell has put there itself stays. */
static void take_hook(void)
{
    if (tracer.hook == NULL)
        tracer.hook = PyCFunction_NewEx(&hook_method, NULL, NULL);
    if (tracer.hook == NULL ||
        (hook_is(PySys_GetObject("__breakpointhook__")) && PySys_SetObject("breakpointhook", tracer.hook) < 0))
        PyErr_Clear(); /* then breakpoint() is pdb's */
}

static void give_hook_back(void)
{
    if (hook_is(tracer.hook) &&
        PySys_SetObject("breakpointhook", PySys_GetObject("__breakpointhook__")) < 0)
        PyErr_Clear();
}

void tracer_begin(void)
{
    tracer.stops_next = NULL;
    tracer.looked_ms = 0;
    take_hook();
    install(on_event);
}

void tracer_end(void)
{
    if (!tracer.installed)
        return;
    install(NULL);
    give_hook_back();
    set_step(STEP_NONE, NULL);
    Py_CLEAR(tracer.unhandled);
    Py_CLEAR(tracer.raised);
    tracer.outermost = NULL;
}
