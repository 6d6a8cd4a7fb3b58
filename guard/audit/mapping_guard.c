#include "guard/audit/mapping_guard.h"

#include "guard/audit/hook.h"
#include "guard/audit/slot_patch.h"

#define FLAGS_AT 2

static void *original; /* mmap.__new__, a newfunc */

static const struct event_row flags_row = {.name = "mmap.flags",
                                           .check = check_mapping,
                                           .arguments = NUMBER_AT(0),
                                           .words = "map memory"};

static PyObject *guarded_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *flags = slot_argument(args, keywords, FLAGS_AT, "flags");
    struct facts_source source = {&flags, NULL, 1};

    if (flags != NULL && hook_judge(&flags_row, &source) < 0)
        return NULL;
    return ((newfunc)original)(type, args, keywords);
}

int mapping_guard_module(PyObject *module)
{
    cleanup_py PyObject *type = PyObject_GetAttrString(module, "mmap");

    if (type == NULL) {
        PyErr_Clear(); /* not filled yet: the module is seen again when it is */
        return 0;
    }
    if (slot_patch_again(type, SLOT_NEW, (void *)guarded_new, &original) == 0)
        return 0;
    PyErr_SetString(PyExc_ImportError, "safepyrun cannot guard mmap on this Python");
    return -1;
}
