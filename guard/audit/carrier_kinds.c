#include "guard/audit/carrier_kinds.h"

#include "guard/audit/caller.h"
#include "guard/audit/class_parts.h"
#include "guard/python/compat.h"

enum { PLAIN_DEPTH = 4 };

bool carrier_is_atom(PyObject *object)
{
    return object == Py_None || PyUnicode_CheckExact(object) || PyBytes_CheckExact(object) ||
           PyLong_CheckExact(object) || PyFloat_CheckExact(object) || PyBool_Check(object) ||
           PyComplex_CheckExact(object) || PyByteArray_CheckExact(object);
}

bool carrier_is_container(PyObject *object)
{
    return PyList_CheckExact(object) || PyTuple_CheckExact(object) || PyDict_CheckExact(object) ||
           Py_TYPE(object) == &PySet_Type || Py_TYPE(object) == &PyFrozenSet_Type;
}

static bool is_plain_at(PyObject *object, unsigned depth)
{
    cleanup_py PyObject *items = NULL;
    bool is_plain = carrier_is_atom(object);

    if (is_plain || depth == 0 || !carrier_is_container(object))
        return is_plain;
    items = PyDict_CheckExact(object) ? PyDict_Items(object) : PySequence_List(object);
    is_plain = items != NULL;
    for (Py_ssize_t i = 0; is_plain && i < PyList_Size(items); i++)
        is_plain = is_plain_at(PyList_GetItem(items, i), depth - 1);
    PyErr_Clear();
    return is_plain;
}

bool carrier_is_plain(PyObject *object)
{
    return is_plain_at(object, PLAIN_DEPTH);
}

bool carrier_is_value_class(PyObject *object)
{
    PyTypeObject *const classes[] = {&PyLong_Type,  &PyFloat_Type,   &PyUnicode_Type,   &PyBytes_Type,
                                     &PyBool_Type,  &PyComplex_Type, &PyByteArray_Type, &PyList_Type,
                                     &PyTuple_Type, &PyDict_Type,    &PySet_Type,       &PyFrozenSet_Type};

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (object == (PyObject *)classes[i])
            return true;
    return false;
}

/* ---- one object ----------------------------------------------------------------------------- */

bool carrier_has_type_name(PyObject *object, const char *const *names)
{
    cleanup_py PyObject *name = PyType_GetName(Py_TYPE(object));
    bool found = false;

    for (size_t i = 0; name != NULL && !found && names[i] != NULL; i++)
        found = PyUnicode_CompareWithASCIIString(name, names[i]) == 0;
    PyErr_Clear(); /* a type without a name is none of these */
    return found;
}

bool carrier_cell_wrote(PyObject *object)
{
    return class_is_function(object) && caller_is_marked_user(compat.function_code(object));
}

/* Objects that call what they hold, and are made by C code that no frame shows. Names of classes are no
   proof of anything: a class of a cell's that takes one is looked at more closely, never less. */
static bool calls_on(PyObject *object)
{
    static const char *const names[] = {"partial", "methodcaller", "method-wrapper", "map", "filter",
                                        "callable_iterator", "starmap", "takewhile", "dropwhile",
                                        "accumulate", "filterfalse", "groupby", "_lru_cache_wrapper",
                                        "defaultdict", "partialmethod", NULL};

    return carrier_has_type_name(object, names);
}

bool carrier_runs_bare(PyObject *object)
{
    return PyCFunction_Check(object) || calls_on(object);
}

/* ---- classes -------------------------------------------------------------------------------- */

static bool are_in_class(PyTypeObject *type);

bool carrier_by_itself(PyObject *object)
{
    PyObject *parts[3];
    bool found = carrier_runs_bare(object) ||
                 (class_is_open((PyObject *)Py_TYPE(object)) && are_in_class(Py_TYPE(object)));

    class_unwrap(object, parts);
    for (size_t i = 0; !found && i < 3; i++)
        found = parts[i] != NULL && parts[i] != object && carrier_by_itself(parts[i]);
    return found;
}

/* In one class: `__str__ = functools.partial(…)`. Python calls that without a frame. `__new__` of a class
   made in C is a built-in function; what is no method is looked at as data. */
static bool names_carrier(PyTypeObject *type)
{
    cleanup_py PyObject *space = class_space(type);
    cleanup_py PyObject *names = space != NULL ? PyMapping_Keys(space) : NULL;
    bool found = names == NULL;

    for (Py_ssize_t i = 0; !found && i < PyList_Size(names); i++) {
        PyObject *name = PyList_GetItem(names, i);
        cleanup_py PyObject *value =
            PyUnicode_CheckExact(name) ? PyObject_GetItem(space, name) : NULL;

        found = value == NULL || (PyUnicode_CompareWithASCIIString(name, "__new__") != 0 &&
                                  !PyType_Check(value) && Py_TYPE(value) != type &&
                                  carrier_by_itself(value));
    }
    PyErr_Clear(); /* found, in doubt */
    return found;
}

static bool are_in_class(PyTypeObject *type)
{
    cleanup_py PyObject *mro = class_mro(type);
    bool found = mro == NULL;

    if (Py_EnterRecursiveCall(" while a class is looked through")) {
        PyErr_Clear();
        return true;
    }
    for (Py_ssize_t i = 0; !found && i < PyTuple_Size(mro); i++) {
        PyObject *base = PyTuple_GetItem(mro, i);

        found = class_is_open(base) && names_carrier((PyTypeObject *)base);
    }
    Py_LeaveRecursiveCall();
    PyErr_Clear();
    return found;
}

bool carrier_is_cells_class(PyTypeObject *type)
{
    cleanup_py PyObject *space = class_space(type);
    cleanup_py PyObject *values = space != NULL ? PyMapping_Values(space) : NULL;
    bool has_library_function = false;

    for (Py_ssize_t i = 0; values != NULL && i < PyList_Size(values); i++) {
        PyObject *value = PyList_GetItem(values, i);

        if (carrier_cell_wrote(value))
            return true;
        has_library_function = has_library_function || class_is_function(value);
    }
    PyErr_Clear();
    return !has_library_function;
}
