#include "guard/audit/opener_guard.h"

#include "guard/audit/hook.h"
#include "guard/audit/slot_patch.h"

#define OPENER_AT 3

static initproc original; /* FileIO.__init__ */

static const struct event_row opener_row = {.name = "open.opener",
                                            .check = check_link,
                                            .arguments = NUMBER_AT(0),
                                            .words = "make a file of the kernel's own channel"};

static PyObject *ask_opener(PyObject *opener, PyObject *args)
{
    cleanup_py PyObject *number = PyObject_CallObject(opener, args);
    struct facts_source source = {&number, NULL, 1};

    /* Anything but an int is refused by FileIO. */
    if (number == NULL || (PyLong_Check(number) && hook_judge(&opener_row, &source) < 0))
        return NULL;
    return steal(number);
}

static PyMethodDef opener_definition = {"opener", ask_opener, METH_VARARGS, NULL};

static PyObject *copy_with(PyObject *args, PyObject *opener)
{
    PyObject *copy = PyTuple_New(PyTuple_Size(args));

    for (Py_ssize_t i = 0; copy != NULL && i < PyTuple_Size(args); i++)
        PyTuple_SetItem(copy, i, py_own(i == OPENER_AT ? opener : PyTuple_GetItem(args, i)));
    return copy;
}

static int init_with(PyObject *file, PyObject *args, PyObject *keywords, PyObject *opener)
{
    cleanup_py PyObject *asking = PyCFunction_NewEx(&opener_definition, opener, NULL);
    cleanup_py PyObject *changed = NULL;

    if (asking == NULL)
        return -1;
    if (PyTuple_Size(args) > OPENER_AT) {
        changed = copy_with(args, asking);
        return changed != NULL ? original(file, changed, keywords) : -1;
    }
    changed = PyDict_Copy(keywords);
    if (changed == NULL || PyDict_SetItemString(changed, "opener", asking) < 0)
        return -1;
    return original(file, args, changed);
}

static int guarded_init(PyObject *file, PyObject *args, PyObject *keywords)
{
    PyObject *opener = slot_argument(args, keywords, OPENER_AT, "opener");
    struct facts_source unknown = {&opener, NULL, 1};

    if (opener == Py_Ellipsis)
        return hook_judge(&opener_row, &unknown) < 0 ? -1 : original(file, args, keywords);
    if (opener == NULL || opener == Py_None || scope_current() == NULL)
        return original(file, args, keywords);
    return init_with(file, args, keywords, opener);
}

int opener_guard_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_io");
    cleanup_py PyObject *type = module != NULL ? PyObject_GetAttrString(module, "FileIO") : NULL;
    void *found;

    if (type == NULL)
        return -1;
    if (slot_patch(type, SLOT_INIT, (void *)guarded_init, &found) < 0) {
        PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot guard files of this Python");
        return -1;
    }
    original = (initproc)found;
    return 0;
}
