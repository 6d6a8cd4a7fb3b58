#include "guard/audit/held_carriers.h"

#include "guard/audit/carrier_kinds.h"
#include "guard/python/compat.h"
#include "guard/python/stack.h"

/* The variables of a function, those it closes over too. Others than a function's may be anything. */
static bool holds_one(PyObject *frame)
{
    cleanup_py PyObject *locals = compat.frame_locals(frame);
    bool is_known = locals != NULL && (PyDict_CheckExact(locals) || compat_at_least(13));
    cleanup_py PyObject *values = is_known ? PyMapping_Values(locals) : NULL;
    bool found = values == NULL;

    for (Py_ssize_t i = 0; !found && i < PyList_Size(values); i++)
        found = carrier_runs_bare(PyList_GetItem(values, i));
    PyErr_Clear();
    return found;
}

bool held_carriers_run(PyObject *outer, const struct recovered *recovered, const struct snapshot *snapshot)
{
    cleanup_py PyObject *frame = NULL;

    if (carrier_is_plain(recovered->args) && carrier_is_plain(recovered->kwargs))
        return false;
    for (frame = stack_innermost(); frame != NULL && frame != outer; stack_step_out(&frame)) {
        cleanup_py PyObject *code = stack_code(frame);

        if (holds_one(frame) && (snapshot == NULL || !snapshot_has_code(snapshot, code)))
            return true;
    }
    return false;
}
