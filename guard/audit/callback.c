#include "guard/audit/callback.h"

#include "guard/audit/caller.h"
#include "guard/audit/scope.h"
#include "guard/python/error.h"
#include "guard/python/stack.h"

_Thread_local unsigned callback_depth;
static _Thread_local PyObject *base; /* the frame that was innermost before; compared only */

bool callback_is_asking(void)
{
    cleanup_py PyObject *frame = stack_innermost();

    if (callback_depth == 0)
        return false;
    while (frame != NULL && frame != base) {
        cleanup_py PyObject *code = stack_code(frame);

        if (caller_is_marked_user(code))
            return false;
        stack_step_out(&frame);
    }
    return frame == base;
}

/* What it starts for later (a task, call_soon()) inherits a context without the guard. */
static PyObject *call_without_scope(PyObject *callable, PyObject *args)
{
    PyObject *token = NULL;
    PyObject *result;
    cleanup_py PyObject *error = NULL;

    if (scope_entry_current() != NULL && scope_set(Py_None, &token) < 0)
        return NULL;
    result = PyObject_CallObject(callable, args);
    if (token == NULL)
        return result;
    error = result == NULL ? error_take() : NULL;
    if (scope_reset(token) < 0)
        Py_CLEAR(result);
    else if (error != NULL)
        error_raise(error);
    return result;
}

PyObject *callback_call(PyObject *callable, PyObject *args)
{
    PyObject *outer_base = base;
    int collects = PyGC_Disable();
    PyObject *result;

    base = (PyObject *)PyEval_GetFrame();
    callback_depth++;
    result = call_without_scope(callable, args);
    callback_depth--;
    base = outer_base;
    if (collects)
        PyGC_Enable();
    return result;
}
