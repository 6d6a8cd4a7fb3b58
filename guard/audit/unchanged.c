#include "guard/audit/unchanged.h"

#include "guard/audit/carriers.h"
#include "guard/audit/class_parts.h"

/* ---- classes -------------------------------------------------------------------------------- */

/* A new dict. */
static PyObject *copy_names(PyTypeObject *type)
{
    cleanup_py PyObject *space = class_space(type);
    PyObject *names = space != NULL ? PyDict_New() : NULL;

    if (names != NULL && PyDict_Update(names, space) < 0)
        Py_CLEAR(names);
    return py_hide(names);
}

int unchanged_remember_class(struct unchanged_class *ret_class, PyTypeObject *type)
{
    cleanup_py PyObject *mro = class_mro(type);
    cleanup_py PyObject *spaces = mro != NULL ? py_hide(PyList_New(0)) : NULL;

    for (Py_ssize_t i = 0; spaces != NULL && i < PyTuple_Size(mro); i++) {
        PyObject *each = PyTuple_GetItem(mro, i);
        cleanup_py PyObject *names =
            class_is_open(each) ? copy_names((PyTypeObject *)each) : py_own(Py_None);

        if (names == NULL || PyList_Append(spaces, names) < 0)
            return -1;
    }
    if (spaces == NULL)
        return -1;
    Py_XDECREF((PyObject *)ret_class->type);
    Py_XDECREF(ret_class->mro);
    Py_XDECREF(ret_class->spaces);
    ret_class->type = (PyTypeObject *)py_own((PyObject *)type);
    ret_class->mro = steal(mro);
    ret_class->spaces = steal(spaces);
    return 0;
}

/* Without what Python itself notes in a class that somebody looks at; nothing is called by these names. */
static Py_ssize_t count_names(PyObject *space)
{
    static const char *const notes[] = {"__annotations__", "__annotations_cache__", "__slotnames__"};
    Py_ssize_t count = PyMapping_Size(space);

    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        count -= PyMapping_HasKeyString(space, notes[i]);
    return count;
}

/* Each name of `before` is there with the very value; so nothing was added if the number is the
 * same. */
static bool names_hold(PyObject *before, PyObject *now)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (count_names(now) != count_names(before))
        return false;
    while (PyDict_Next(before, &at, &name, &value)) {
        cleanup_py PyObject *found = PyObject_GetItem(now, name);

        if (found != value)
            return false;
    }
    return true;
}

bool unchanged_class_holds(const struct unchanged_class *remembered, PyTypeObject *type)
{
    cleanup_py PyObject *mro = NULL;
    bool holds;

    if (type != remembered->type)
        return false;
    mro = class_mro(type);
    holds = mro == remembered->mro; /* another tuple: other bases */
    for (Py_ssize_t i = 0; holds && i < PyTuple_Size(mro); i++) {
        PyObject *before = PyList_GetItem(remembered->spaces, i);
        cleanup_py PyObject *now =
            before != Py_None ? class_space((PyTypeObject *)PyTuple_GetItem(mro, i)) : NULL;

        holds = before == Py_None || (now != NULL && names_hold(before, now));
    }
    PyErr_Clear(); /* a name that is gone */
    return holds;
}

/* ---- objects -------------------------------------------------------------------------------- */

/* Its __dict__ itself, new; NULL for none. */
static PyObject *attributes_of(PyObject *object)
{
    PyObject *own = PyObject_GenericGetDict(object, NULL);

    PyErr_Clear(); /* it has no place for one */
    return own;
}

int unchanged_remember(struct unchanged_object *ret_object, PyObject *object)
{
    cleanup_py PyObject *own = NULL;
    cleanup_py PyObject *copy = NULL;

    if (unchanged_remember_class(&ret_object->class, Py_TYPE(object)) < 0)
        return -1;
    own = attributes_of(object);
    copy = own != NULL ? py_hide(PyDict_Copy(own)) : NULL;
    if (own != NULL && copy == NULL)
        return -1;
    Py_XDECREF(ret_object->object);
    Py_XDECREF(ret_object->own);
    ret_object->object = py_own(object);
    ret_object->own = steal(copy);
    return 0;
}

static bool is_harmless(const struct unchanged_object *remembered, PyObject *name, PyObject *value)
{
    char found[CARRIER_NAME];

    if (!PyUnicode_CheckExact(name))
        return false;
    if (remembered->own != NULL && PyDict_GetItemWithError(remembered->own, name) == value)
        return true;
    return !carriers_are_in(value, found);
}

bool unchanged_holds(const struct unchanged_object *remembered)
{
    cleanup_py PyObject *own = NULL;
    cleanup_py PyObject *now = NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;
    bool holds = unchanged_class_holds(&remembered->class, Py_TYPE(remembered->object));

    if (!holds)
        return false;
    own = attributes_of(remembered->object);
    now = own != NULL ? PyDict_Copy(own) : NULL; /* a thread may change it meanwhile */
    while (holds && now != NULL && PyDict_Next(now, &at, &name, &value))
        holds = is_harmless(remembered, name, value);
    PyErr_Clear();
    return holds && (own == NULL || now != NULL);
}
