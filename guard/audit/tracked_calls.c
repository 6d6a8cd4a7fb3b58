#include "guard/audit/tracked_calls.h"

#include "guard/audit/caller.h"
#include "guard/audit/frame_view.h"
#include "guard/audit/plain.h"
#include "guard/link/cleanup.h"
#include "guard/python/compat.h"
#include "guard/python/stack.h"

/* Kept for ever: a host names few. The collector does not see them. */
static struct {
    PyObject **codes;
    size_t count;
} state;

static bool is_tracked(PyObject *code)
{
    for (size_t i = 0; i < state.count; i++)
        if (state.codes[i] == code)
            return true;
    return false;
}

int tracked_calls_add(PyObject *function)
{
    cleanup_py PyObject *code = PyObject_GetAttrString(function, "__code__");

    if (code == NULL || compat.audit("safepyrun.allow", NULL) < 0)
        return -1;
    if (is_tracked(code))
        return 0;
    state.codes = xrealloc(state.codes, (state.count + 1) * sizeof(PyObject *));
    state.codes[state.count++] = steal(code);
    return 0;
}

static int append_view(PyObject *views, PyObject *frame)
{
    cleanup_py PyObject *view = frame_view_of((PyFrameObject *)frame);

    return view != NULL ? PyList_Append(views, view) : -1;
}

PyObject *tracked_calls_frames(void)
{
    cleanup_py PyObject *views = PyList_New(0);
    cleanup_py PyObject *frame = state.count > 0 ? stack_innermost() : NULL;

    if (views == NULL || plain_init() < 0)
        return NULL;
    while (frame != NULL) {
        cleanup_py PyObject *code = stack_code(frame);

        if (caller_is_marked_user(code))
            break;
        if (is_tracked(code) && append_view(views, frame) < 0)
            return NULL;
        stack_step_out(&frame);
    }
    return PyList_AsTuple(views);
}
