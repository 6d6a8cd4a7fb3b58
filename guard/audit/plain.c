#include "guard/audit/plain.h"

#include "guard/audit/class_parts.h"
#include "guard/audit/unchanged.h"

#include <stddef.h>
#include <string.h>

/* A value nested deeper, or with more elements in all, is replaced from there on. */
#define DEPTH_MAX 32
#define ITEMS_MAX 100000

static struct {
    PyTypeObject *stand_in;
    struct unchanged_class path; /* what pathlib.Path() makes here */
    struct unchanged_class pure_path;
} state;

struct copying {
    unsigned depth;
    unsigned items;
};

static PyObject *copy(PyObject *object, struct copying *copying);

/* ---- the stand-in --------------------------------------------------------------------------- */

struct stand_in {
    PyObject_HEAD
    PyObject *type_name;
    PyObject *fields; /* dict, or NULL */
};

static void stand_in_release(PyObject *self)
{
    struct stand_in *stand_in = (struct stand_in *)self;
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    Py_CLEAR(stand_in->type_name);
    Py_CLEAR(stand_in->fields);
    release(self);
    Py_DECREF(type);
}

static PyObject *stand_in_text(PyObject *self)
{
    return PyUnicode_FromFormat("<a %U of the cell>", ((struct stand_in *)self)->type_name);
}

static PyObject *stand_in_attribute(PyObject *self, PyObject *name)
{
    struct stand_in *stand_in = (struct stand_in *)self;
    PyObject *value = NULL;

    if (stand_in->fields != NULL && PyUnicode_CheckExact(name))
        value = PyDict_GetItemWithError(stand_in->fields, name);
    if (value != NULL || PyErr_Occurred())
        return py_own(value);
    if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "type_name") == 0)
        return py_own(stand_in->type_name);
    return PyObject_GenericGetAttr(self, name);
}

static char stand_in_doc[] = "What a callback gets in place of an object of a cell.";
static PyType_Slot stand_in_slots[] = {{Py_tp_dealloc, stand_in_release},
                                       {Py_tp_repr, stand_in_text},
                                       {Py_tp_getattro, stand_in_attribute},
                                       {Py_tp_doc, stand_in_doc},
                                       {0, NULL}};
static PyType_Spec stand_in_spec = {.name = "safepyrun.Opaque",
                                    .basicsize = sizeof(struct stand_in),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
                                             Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                    .slots = stand_in_slots};

/* The instance's own __dict__, without asking the object for it. Borrowed from *ret_owner. */
static PyObject *instance_dict(PyObject *object, PyObject **ret_owner)
{
    PyObject *dict = PyObject_GenericGetDict(object, NULL);

    if (dict == NULL)
        PyErr_Clear(); /* it has none */
    *ret_owner = dict;
    return dict != NULL && PyDict_CheckExact(dict) ? dict : NULL;
}

static PyObject *copy_fields(PyObject *object, struct copying *copying)
{
    cleanup_py PyObject *owner = NULL;
    PyObject *dict = instance_dict(object, &owner);
    cleanup_py PyObject *fields = dict != NULL ? PyDict_New() : NULL;
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    while (fields != NULL && PyDict_Next(dict, &at, &key, &value)) {
        cleanup_py PyObject *name = py_own(key);
        cleanup_py PyObject *source = py_own(value);
        cleanup_py PyObject *field = PyUnicode_CheckExact(name) ? copy(source, copying) : NULL;

        if (field == NULL && PyErr_Occurred())
            return NULL;
        if (field != NULL && PyDict_SetItem(fields, name, field) < 0)
            return NULL;
    }
    return steal(fields);
}

static PyObject *new_stand_in(PyObject *object, PyObject *fields)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(state.stand_in, Py_tp_alloc);
    cleanup_py PyObject *given = PyType_GetName(Py_TYPE(object));
    cleanup_py PyObject *name = given != NULL ? PyUnicode_FromObject(given) : NULL;
    struct stand_in *stand_in = name != NULL ? (struct stand_in *)allocate(state.stand_in, 0) : NULL;

    if (stand_in == NULL)
        return NULL;
    stand_in->type_name = steal(name);
    stand_in->fields = py_own(fields);
    return (PyObject *)stand_in;
}

static PyObject *bare_stand_in_for(PyObject *object)
{
    return new_stand_in(object, NULL);
}

/* Classes and modules have a namespace for a __dict__, not data. */
static PyObject *stand_in_for(PyObject *object, struct copying *copying)
{
    cleanup_py PyObject *fields = NULL;

    if (!PyType_Check(object) && !PyModule_Check(object)) {
        fields = copy_fields(object, copying);
        if (fields == NULL && PyErr_Occurred())
            return NULL;
    }
    return new_stand_in(object, fields);
}

/* ---- built-in types ------------------------------------------------------------------------- */

static PyObject *copy_text(PyObject *object)
{
    if (PyUnicode_CheckExact(object))
        return py_own(object);
    return PyUnicode_FromObject(object); /* an exact str from the storage of a derived one */
}

/* int's own method: adding 0 would ask the derived class. */
static PyObject *copy_number(PyObject *object)
{
    if (PyLong_CheckExact(object) || PyBool_Check(object))
        return py_own(object);
    return PyObject_CallMethod((PyObject *)&PyLong_Type, "conjugate", "O", object);
}

static PyObject *copy_bytes(PyObject *object)
{
    if (PyBytes_CheckExact(object))
        return py_own(object);
    return PyBytes_FromStringAndSize(PyBytes_AsString(object), PyBytes_Size(object));
}

/* The size is asked each time: another thread may change a list. */
static PyObject *copy_sequence(PyObject *object, struct copying *copying)
{
    bool is_list = PyList_Check(object);
    cleanup_py PyObject *list = PyList_New(0);

    for (Py_ssize_t i = 0; list != NULL; i++) {
        cleanup_py PyObject *source = NULL;
        cleanup_py PyObject *item = NULL;

        if (i >= (is_list ? PyList_Size(object) : PyTuple_Size(object)))
            break;
        source = py_own(is_list ? PyList_GetItem(object, i) : PyTuple_GetItem(object, i));
        item = source != NULL ? copy(source, copying) : NULL;
        if (item == NULL || PyList_Append(list, item) < 0)
            return NULL;
    }
    return list == NULL || is_list ? steal(list) : PyList_AsTuple(list);
}

/* Copies of keys hash as what they are: exact types, or a stand-in by its identity. Not
   PyDict_Copy(): it may compare the keys. */
static PyObject *copy_dict(PyObject *object, struct copying *copying)
{
    cleanup_py PyObject *result = PyDict_New();
    PyObject *borrowed_key;
    PyObject *borrowed_value;
    Py_ssize_t at = 0;

    while (result != NULL && PyDict_Next(object, &at, &borrowed_key, &borrowed_value)) {
        cleanup_py PyObject *key = py_own(borrowed_key);
        cleanup_py PyObject *value = py_own(borrowed_value);
        cleanup_py PyObject *new_key = copy(key, copying);
        cleanup_py PyObject *new_value = new_key != NULL ? copy(value, copying) : NULL;

        if (new_value == NULL || PyDict_SetItem(result, new_key, new_value) < 0)
            return NULL;
    }
    return steal(result);
}

static PyObject *copy_set(PyObject *object, PyTypeObject *base, struct copying *copying)
{
    getiterfunc iterate = (getiterfunc)PyType_GetSlot(base, Py_tp_iter);
    cleanup_py PyObject *iterator = iterate(object);
    cleanup_py PyObject *list = PyList_New(0);

    while (iterator != NULL && list != NULL) {
        cleanup_py PyObject *item = PyIter_Next(iterator);
        cleanup_py PyObject *new_item = item != NULL ? copy(item, copying) : NULL;

        if (item == NULL)
            break;
        if (new_item == NULL || PyList_Append(list, new_item) < 0)
            return NULL;
    }
    if (PyErr_Occurred())
        return NULL;
    return base == &PyFrozenSet_Type ? PyFrozenSet_New(list) : PySet_New(list);
}

/* ---- pathlib -------------------------------------------------------------------------------- */

/* With the methods that it has had from the beginning: another __fspath__ could say something else each time. */
static bool is_path(PyObject *object)
{
    return unchanged_class_holds(&state.path, Py_TYPE(object)) ||
           unchanged_class_holds(&state.pure_path, Py_TYPE(object));
}

/* pathlib's code runs here, on whatever a cell has put into the object: as a library's, without any
   rights of a tool or a callback. */
static PyObject *copy_path(PyObject *object)
{
    cleanup_py PyObject *text = PyObject_CallMethod(object, "__fspath__", NULL);
    cleanup_py PyObject *exact = NULL;

    if (text == NULL || !PyUnicode_Check(text))
        return NULL;
    exact = copy_text(text);
    return exact != NULL ? PyObject_CallFunctionObjArgs((PyObject *)state.path.type, exact, NULL) : NULL;
}

/* ---- any object ----------------------------------------------------------------------------- */

/* A class written in Python may show another text than it holds: a policy that saw a copy would judge
   something else than the function gets. */
static bool may_lie(PyObject *object)
{
    return class_is_open((PyObject *)Py_TYPE(object)) && !is_path(object);
}

static PyObject *copy_known(PyObject *object, struct copying *copying)
{
    if (may_lie(object))
        return stand_in_for(object, copying);
    if (PyUnicode_Check(object))
        return copy_text(object);
    if (PyLong_Check(object))
        return copy_number(object);
    if (PyFloat_Check(object))
        return PyFloat_FromDouble(PyFloat_AsDouble(object));
    if (PyComplex_Check(object))
        return PyComplex_FromDoubles(PyComplex_RealAsDouble(object),
                                     PyComplex_ImagAsDouble(object));
    if (PyBytes_Check(object))
        return copy_bytes(object);
    if (PyByteArray_Check(object))
        return PyByteArray_FromStringAndSize(PyByteArray_AsString(object),
                                             PyByteArray_Size(object));
    if (PyList_Check(object) || PyTuple_Check(object))
        return copy_sequence(object, copying);
    if (PyDict_Check(object))
        return copy_dict(object, copying);
    if (PyObject_TypeCheck(object, &PyFrozenSet_Type))
        return copy_set(object, &PyFrozenSet_Type, copying);
    if (PyObject_TypeCheck(object, &PySet_Type))
        return copy_set(object, &PySet_Type, copying);
    return is_path(object) ? copy_path(object) : stand_in_for(object, copying);
}

static PyObject *copy(PyObject *object, struct copying *copying)
{
    PyObject *result;

    if (object == Py_None || object == Py_Ellipsis)
        return py_own(object);
    if (copying->depth >= DEPTH_MAX || copying->items >= ITEMS_MAX)
        return bare_stand_in_for(object);
    copying->depth++;
    copying->items++;
    result = copy_known(object, copying);
    copying->depth--;
    if (result != NULL)
        return result;
    PyErr_Clear(); /* changed meanwhile, or odd inside: nothing is known about it */
    return bare_stand_in_for(object);
}

PyObject *plain_copy(PyObject *object)
{
    struct copying copying = {0, 0};

    return copy(object, &copying);
}

static int remember_path(PyObject *pathlib, const char *name, struct unchanged_class *ret_class)
{
    cleanup_py PyObject *type = PyObject_GetAttrString(pathlib, name);
    cleanup_py PyObject *path = type != NULL ? PyObject_CallNoArgs(type) : NULL;

    return path != NULL ? unchanged_remember_class(ret_class, Py_TYPE(path)) : -1;
}

int plain_init(void)
{
    cleanup_py PyObject *pathlib = PyImport_ImportModule("pathlib");

    if (state.stand_in != NULL)
        return 0;
    if (class_parts_init() < 0 || pathlib == NULL)
        return -1;
    if (remember_path(pathlib, "Path", &state.path) < 0 ||
        remember_path(pathlib, "PurePath", &state.pure_path) < 0)
        return -1;
    state.stand_in = (PyTypeObject *)PyType_FromSpec(&stand_in_spec);
    return state.stand_in != NULL ? 0 : -1;
}
