#include "guard/audit/environment_guard.h"

#include "guard/audit/caller.h"
#include "guard/python/method_patch.h"
#include "guard/python/py_cleanup.h"

static PyObject *put(const struct method_call *call, void *data)
{
    const struct scope *scope = scope_current();
    PyObject *result = method_call_next(call);
    bool is_known;

    (void)data;
    if (result != NULL || scope == NULL || !PyErr_ExceptionMatches(PyExc_PermissionError) ||
        caller_on_stack(scope, &is_known) != CALLER_IMPORT)
        return result;
    PyErr_Clear();
    return py_own(Py_None);
}

int environment_guard_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("posix");

    return module != NULL ? method_patch_attribute(module, "putenv", put, NULL) : -1;
}
