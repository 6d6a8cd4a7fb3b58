#include "guard/audit/callback.h"

#include "guard/audit/caller.h"
#include "guard/audit/scope.h"
#include "guard/audit/scoped.h"
#include "guard/python/stack.h"

_Thread_local unsigned callback_depth;
static _Thread_local PyObject *base; /* the frame that was innermost before; compared only */

bool callback_is_asking(void)
{
    cleanup_py PyObject *frame = NULL;

    /* A handler of a signal that comes meanwhile has brought its scope along. */
    if (callback_depth == 0 || scope_entry_current() != NULL)
        return false;
    frame = stack_innermost();
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
    return scope_entry_current() != NULL ? scoped_call(Py_None, callable, args, NULL)
                                         : PyObject_CallObject(callable, args);
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
