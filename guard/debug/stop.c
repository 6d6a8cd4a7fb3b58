#include "guard/debug/stop.h"

#include "guard/debug/breakpoints.h"
#include "guard/debug/debug.h"
#include "guard/debug/tracer.h"
#include "guard/python/attribution.h"
#include "guard/python/cell.h"
#include "guard/python/compat.h"
#include "guard/python/interrupt.h"
#include "guard/python/json.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

enum { FRAMES_MAX = 200 };

static struct {
    PyObject *frames; /* NULL while nothing stands still */
} stop;

PyObject *stop_frame(Py_ssize_t index)
{
    if (stop.frames == NULL || index < 0 || index >= PyList_Size(stop.frames))
        return NULL;
    return PyList_GetItem(stop.frames, index);
}

PyObject *stop_frames(void)
{
    return stop.frames != NULL ? PyList_GetSlice(stop.frames, 0, FRAMES_MAX) : PyList_New(0);
}

/* ---- the frames ------------------------------------------------------------------------------- */

static int add_if_user(PyObject *list, PyObject *frame)
{
    cleanup_py PyObject *code = (PyObject *)PyFrame_GetCode((PyFrameObject *)frame);

    if (!cell_hooks()->is_user_code(code) || PyList_Size(list) >= FRAMES_MAX)
        return 0;
    return PyList_Append(list, frame);
}

static PyObject *frames_from(PyObject *innermost)
{
    cleanup_py PyObject *list = PyList_New(0);
    PyObject *frame = py_own(innermost);

    while (frame != NULL) {
        PyObject *back = compat.frame_back(frame);
        int result = list != NULL ? add_if_user(list, frame) : -1;

        Py_DECREF(frame);
        frame = back;
        if (result < 0) {
            Py_XDECREF(back);
            return NULL;
        }
    }
    return steal(list);
}

/* The glue walks it: to the hook, attributes of tracebacks read from here would be read by the cell. */
static PyObject *frames_of(PyObject *traceback)
{
    cleanup_py PyObject *found = debug_traceback_frames(traceback);
    cleanup_py PyObject *list = PyList_New(0);

    if (found == NULL || list == NULL || !PyList_Check(found))
        return NULL;
    for (Py_ssize_t i = PyList_Size(found); i > 0; i--) {
        PyObject *frame = PyList_GetItem(found, i - 1);

        if (Py_TYPE(frame) == compat.frame_type && add_if_user(list, frame) < 0)
            return NULL;
    }
    return steal(list);
}

/* ---- what is told ----------------------------------------------------------------------------- */

static int post_event(const char *event, PyObject *body)
{
    cleanup_py PyObject *content =
        body != NULL ? Py_BuildValue("{s:i,s:s,s:s,s:O}", "seq", 0, "type", "event", "event", event,
                                     "body", body)
                     : NULL;
    cleanup_py PyObject *text = content != NULL ? json_encode(content) : NULL;
    struct bytes part;
    Py_ssize_t size;
    char *data;

    if (text == NULL || PyBytes_AsStringAndSize(text, &data, &size) < 0)
        return -1;
    part = (struct bytes){data, (size_t)size};
    link_end_post(&(struct frame){FRAME_DEBUG_EVENT, attribution_running_cell(), 1, &part});
    return 0;
}

static int tell_stopped(const char *reason)
{
    cleanup_py PyObject *body =
        Py_BuildValue("{s:s,s:i,s:O,s:O}", "reason", reason, "threadId", DEBUG_THREAD,
                      "preserveFocusHint", Py_False, "allThreadsStopped", Py_True);

    streams_flush_all();
    return post_event("stopped", body);
}

static int tell_continued(void)
{
    cleanup_py PyObject *body = Py_BuildValue("{s:i,s:O}", "threadId", DEBUG_THREAD,
                                              "allThreadsContinued", Py_True);

    return post_event("continued", body);
}

/* ---- while it stands still -------------------------------------------------------------------- */

static const struct {
    const char *command;
    enum tracer_step step;
} ways_on[] = {{"continue", STEP_NONE}, {"next", STEP_NEXT}, {"stepIn", STEP_IN}, {"stepOut", STEP_OUT}};

static bool goes_on(PyObject *request, enum tracer_step *ret_step)
{
    PyObject *command = debug_command(request);

    for (size_t i = 0; command != NULL && i < sizeof(ways_on) / sizeof(ways_on[0]); i++) {
        if (PyUnicode_CompareWithASCIIString(command, ways_on[i].command) != 0)
            continue;
        *ret_step = ways_on[i].step;
        return true;
    }
    return false;
}

/* Returns 1 to stay, 0 to go on, -1 with an exception. The kernel process hears that the cell runs
   before it hears the answer: what it has to ask next is not for this stop. */
static int serve(const struct frame *frame, enum tracer_step *ret_step)
{
    cleanup_py PyObject *request = NULL;

    if (debug_is(frame, "settings")) {
        if (debug_take_settings(frame) < 0)
            return -1;
        return breakpoints_is_attached() ? 1 : tell_continued();
    }
    if (!debug_is(frame, "stopped"))
        return 1;
    request = debug_decode(frame);
    if (request == NULL)
        return -1;
    if (goes_on(request, ret_step)) {
        if (tell_continued() < 0)
            return -1;
        debug_answer_empty(frame, request);
        return 0;
    }
    debug_answer(frame, request);
    return 1;
}

static int next_frame(struct frame *ret_frame)
{
    if (link_end_look_for(FRAME_DEBUG, ret_frame))
        return 0;
    return link_end_receive_type(FRAME_DEBUG, ret_frame);
}

static int wait(enum tracer_step *ret_step)
{
    int result = 1;

    while (result > 0) {
        struct frame frame;

        result = next_frame(&frame) < 0 ? -1 : serve(&frame, ret_step);
    }
    return result;
}

/* The exception that is set, or none, stays as it is. */
static void end_stop(void)
{
    cleanup_py PyObject *frames = steal(stop.frames);
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    debug_forget_references();
    PyErr_Restore(type, value, traceback);
}

int stop_here(PyObject *frame, const char *reason, PyObject *traceback)
{
    enum interrupt_state before;
    enum tracer_step step = STEP_NONE;
    int result;

    if (stop.frames != NULL || attribution_running_cell() == 0)
        return 0;
    stop.frames = traceback != NULL ? frames_of(traceback) : frames_from(frame);
    if (stop.frames == NULL) {
        PyErr_Clear(); /* without memory, or with a changed glue, nothing stops */
        return 0;
    }
    before = interrupt_set(INTERRUPT_RAISES);
    result = tell_stopped(reason);
    if (result == 0)
        result = wait(&step);
    interrupt_set(before);
    tracer_go_on(step, PyList_Size(stop.frames) > 0 ? PyList_GetItem(stop.frames, 0) : NULL);
    if (result < 0) { /* an interrupt: nobody said go on */
        PyObject *type;
        PyObject *value;
        PyObject *error_traceback;

        PyErr_Fetch(&type, &value, &error_traceback);
        if (tell_continued() < 0)
            PyErr_Clear(); /* the end of the cell says it, too */
        PyErr_Restore(type, value, error_traceback);
    }
    end_stop();
    return result;
}
