#include "guard/audit/slot_patch.h"

#include <stdbool.h>
#include <string.h>

/* The offsets are those of a PyTypeObject and of a wrapper descriptor, the same from 3.11 to 3.14.
 */
#define OFFSET_WRAPPED 48
static const struct {
    int slot;
    size_t offset;
    size_t inner;        /* of a slot in a table of its own, to which the offset leads: its place there + 1 */
    const char *wrapper; /* NULL: what Python code sees asks the slot itself */
    const char *second;  /* another wrapper of the same slot */
} places[] = {
    [SLOT_CALL] = {Py_tp_call, 128, 0, "__call__", NULL},
    [SLOT_SETATTRO] = {Py_tp_setattro, 152, 0, "__setattr__", "__delattr__"},
    [SLOT_DESCR_GET] = {Py_tp_descr_get, 272, 0, "__get__", NULL},
    [SLOT_DESCR_SET] = {Py_tp_descr_set, 280, 0, "__set__", "__delete__"},
    [SLOT_INIT] = {Py_tp_init, 296, 0, "__init__", NULL},
    [SLOT_NEW] = {Py_tp_new, 312, 0, NULL, NULL},
    [SLOT_IN_PLACE_OR] = {Py_nb_inplace_or, 96, 224 + 1, "__ior__", NULL},
    [SLOT_FINALIZE] = {Py_tp_finalize, 392, 0, NULL, NULL},
    [SLOT_RELEASE_BUFFER] = {Py_bf_releasebuffer, 160, 8 + 1, NULL, NULL},
    [SLOT_SET_ITEM] = {Py_mp_ass_subscript, 112, 16 + 1, "__setitem__", "__delitem__"},
};

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

static bool replace_in_type(PyObject *type, enum slot_patch_place place, const void *old,
                            const void *wanted)
{
    void *table = type;

    if (places[place].inner == 0)
        return replace_pointer(type, places[place].offset, old, wanted);
    memcpy(&table, (char *)type + places[place].offset, sizeof(table));
    return table != NULL && replace_pointer(table, places[place].inner - 1, old, wanted);
}

/* The slot of the type and of all types that inherited it. */
static int replace_slot(PyObject *type, enum slot_patch_place place, const void *old,
                        const void *wanted)
{
    cleanup_py PyObject *derived = NULL;

    if (PyType_GetSlot((PyTypeObject *)type, places[place].slot) == old &&
        !replace_in_type(type, place, old, wanted))
        return -1;
    derived = PyObject_CallMethod((PyObject *)&PyType_Type, "__subclasses__", "O", type);
    if (derived == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < PyList_Size(derived); i++)
        if (replace_slot(PyList_GetItem(derived, i), place, old, wanted) < 0)
            return -1;
    return 0;
}

/* `CFuncPtr.__call__` is an object of its own that remembers the function behind the slot. */
static int replace_wrapper(PyObject *type, const char *name, const void *old, const void *wanted)
{
    cleanup_py PyObject *wrapper = PyObject_GetAttrString(type, name);

    return wrapper != NULL && replace_pointer(wrapper, OFFSET_WRAPPED, old, wanted) ? 0 : -1;
}

int slot_patch(PyObject *type, enum slot_patch_place place, void *function, void **ret_original)
{
    void *old = PyType_GetSlot((PyTypeObject *)type, places[place].slot);

    if (old == NULL)
        return -1;
    *ret_original = old;
    if (places[place].wrapper != NULL &&
        replace_wrapper(type, places[place].wrapper, old, function) < 0)
        return -1;
    if (places[place].second != NULL &&
        replace_wrapper(type, places[place].second, old, function) < 0)
        return -1;
    return replace_slot(type, place, old, function);
}

int slot_patch_one(PyObject *type, enum slot_patch_place place, void *function)
{
    const void *old = PyType_GetSlot((PyTypeObject *)type, places[place].slot);

    return old != NULL && replace_in_type(type, place, old, function) ? 0 : -1;
}

int slot_patch_again(PyObject *type, enum slot_patch_place place, void *function, void **original)
{
    void *now = PyType_Check(type) ? PyType_GetSlot((PyTypeObject *)type, places[place].slot) : NULL;
    void *found;

    if (now != NULL && now == function)
        return 0;
    if (now == NULL || (*original != NULL && now != *original))
        return -1;
    if (slot_patch(type, place, function, &found) < 0)
        return -1;
    *original = found;
    return 0;
}

PyObject *slot_argument(PyObject *args, PyObject *keywords, Py_ssize_t index, const char *name)
{
    Py_ssize_t at = 0;
    PyObject *found = NULL;
    PyObject *key;
    PyObject *value;

    if (index < PyTuple_Size(args))
        return PyTuple_GetItem(args, index);
    while (keywords != NULL && PyDict_Next(keywords, &at, &key, &value)) {
        if (!PyUnicode_CheckExact(key))
            return Py_Ellipsis;
        if (PyUnicode_CompareWithASCIIString(key, name) == 0)
            found = value;
    }
    return found;
}
