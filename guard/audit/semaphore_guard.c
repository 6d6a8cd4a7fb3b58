#include "guard/audit/semaphore_guard.h"

#include "guard/audit/hook.h"
#include "guard/audit/slot_patch.h"

#define UNLINK_AT 4

static void *original; /* SemLock.__new__, a newfunc */

static const struct event_row named_row = {.name = "multiprocessing.SemLock",
                                           .check = check_shared,
                                           .arguments = NOTHING,
                                           .words = "make a semaphore that other processes see"};

/* An object that is true now may be false when it is asked. */
static bool loses_its_name(PyObject *args, PyObject *keywords)
{
    return slot_argument(args, keywords, UNLINK_AT, "unlink") == Py_True;
}

static PyObject *guarded_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    if (!loses_its_name(args, keywords) && hook_judge(&named_row, NULL) < 0)
        return NULL;
    return ((newfunc)original)(type, args, keywords);
}

int semaphore_guard_module(PyObject *module)
{
    cleanup_py PyObject *type = PyObject_GetAttrString(module, "SemLock");

    if (type == NULL) {
        PyErr_Clear(); /* not filled yet, or not there at all */
        return 0;
    }
    if (slot_patch_again(type, SLOT_NEW, (void *)guarded_new, &original) == 0)
        return 0;
    PyErr_SetString(PyExc_ImportError, "safepyrun cannot guard these semaphores: they are not those of this Python");
    return -1;
}
