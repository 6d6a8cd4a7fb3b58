#include "guard/audit/ctypes_guard.h"

#include "guard/audit/hook.h"

#include <stdbool.h>
#include <string.h>

/* Where the slots lie in a PyTypeObject and in a wrapper descriptor, the same from 3.11 to 3.14. */
#define OFFSET_CALL 128
#define OFFSET_NEW 312
#define OFFSET_WRAPPED 48

static ternaryfunc original_call;
static bool guarded;

static const struct event_row call_row = {.name = "ctypes.call",
                                          .check = check_native,
                                          .arguments = STACK,
                                          .words = "call native code"};
static const struct event_row new_row = {.name = "ctypes.new",
                                         .check = check_library,
                                         .arguments = INNERMOST,
                                         .words = "make a ctypes object"};

static int judge(const struct event_row *row)
{
    struct facts_source source = {NULL, NULL, 0};

    return hook_is_judging() ? hook_judge(row, row->name, &source) : 0;
}

static PyObject *guarded_call(PyObject *function, PyObject *args, PyObject *keywords)
{
    if (judge(&call_row) < 0)
        return NULL;
    return original_call(function, args, keywords);
}

/* The types whose objects reach memory, each with the function that makes them. */
#define GUARDED_TYPES(DO) DO(0, "Structure") DO(1, "Union") DO(2, "_Pointer") DO(3, "Array")
static newfunc original_new[4];

#define DEFINE_NEW(n, name)                                                                        \
    static PyObject *guarded_new_##n(PyTypeObject *type, PyObject *args, PyObject *keywords)       \
    {                                                                                              \
        return judge(&new_row) < 0 ? NULL : original_new[n](type, args, keywords);                 \
    }
GUARDED_TYPES(DEFINE_NEW)

static const struct {
    const char *name;
    newfunc function;
} guarded_types[] = {
#define LIST_NEW(n, type_name) {type_name, guarded_new_##n},
    GUARDED_TYPES(LIST_NEW)};

/* Replaces one pointer inside an object if it is what we expect there. */
static bool replace_pointer(void *object, size_t offset, const void *expected, const void *wanted)
{
    const void *found;

    memcpy(&found, (char *)object + offset, sizeof(found));
    if (found != expected)
        return false;
    memcpy((char *)object + offset, &wanted, sizeof(wanted));
    return true;
}

/* The slot of the type and of all types that inherited it. -1: a layout that we do not know. */
static int replace_slot(PyObject *type, int slot, size_t offset, const void *old, const void *wanted)
{
    cleanup_py PyObject *derived = NULL;

    if (PyType_GetSlot((PyTypeObject *)type, slot) == old &&
        !replace_pointer(type, offset, old, wanted))
        return -1;
    derived = PyObject_CallMethod((PyObject *)&PyType_Type, "__subclasses__", "O", type);
    if (derived == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < PyList_Size(derived); i++)
        if (replace_slot(PyList_GetItem(derived, i), slot, offset, old, wanted) < 0)
            return -1;
    return 0;
}

/* `CFuncPtr.__call__` is an object of its own that remembers the function behind the slot. */
static int replace_wrapper(PyObject *type)
{
    cleanup_py PyObject *wrapper = PyObject_GetAttrString(type, "__call__");
    void *old = (void *)original_call;

    if (wrapper == NULL)
        return -1;
    return replace_pointer(wrapper, OFFSET_WRAPPED, old, (void *)guarded_call) ? 0 : -1;
}

static int guard_calls(PyObject *module)
{
    cleanup_py PyObject *type = PyObject_GetAttrString(module, "CFuncPtr");

    if (type == NULL)
        return -1;
    original_call = (ternaryfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_call);
    if (original_call == NULL || replace_wrapper(type) < 0)
        return -1;
    return replace_slot(type, Py_tp_call, OFFSET_CALL, (void *)original_call, (void *)guarded_call);
}

static int guard_types(PyObject *module)
{
    for (size_t i = 0; i < sizeof(guarded_types) / sizeof(guarded_types[0]); i++) {
        cleanup_py PyObject *type = PyObject_GetAttrString(module, guarded_types[i].name);

        if (type == NULL)
            return -1;
        original_new[i] = (newfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_new);
        if (original_new[i] == NULL ||
            replace_slot(type, Py_tp_new, OFFSET_NEW, (void *)original_new[i],
                         (void *)guarded_types[i].function) < 0)
            return -1;
    }
    return 0;
}

int ctypes_guard_module(PyObject *module)
{
    if (guarded || !PyObject_HasAttrString(module, "CFuncPtr"))
        return 0;
    guarded = true;
    if (guard_calls(module) == 0 && guard_types(module) == 0)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ImportError, "safepyrun cannot guard ctypes on this Python");
    return -1;
}
