#include "guard/audit/carriers.h"

#include "guard/audit/caller.h"
#include "guard/audit/class_parts.h"
#include "guard/python/compat.h"

#include <stdio.h>
#include <string.h>

/* What is larger is not looked through, and counts as one. */
#define OBJECTS_MAX 200000

struct search {
    PyObject *met;     /* set of addresses */
    PyObject *given;   /* list: handed over, or held by what the cell has made */
    PyObject *inside;  /* list: held by an object of a library, where its methods are normal */
    PyObject *into;    /* one of the two: borrowed */
    PyObject *ignored; /* the class of the object that is traversed: borrowed */
    bool is_full;
    char *name;
};

static bool is_atom(PyObject *object)
{
    return object == Py_None || PyUnicode_CheckExact(object) || PyBytes_CheckExact(object) ||
           PyLong_CheckExact(object) || PyFloat_CheckExact(object) || PyBool_Check(object) ||
           PyComplex_CheckExact(object) || PyByteArray_CheckExact(object);
}

static bool is_plain_container(PyObject *object)
{
    return PyList_CheckExact(object) || PyTuple_CheckExact(object) || PyDict_CheckExact(object) ||
           Py_TYPE(object) == &PySet_Type || Py_TYPE(object) == &PyFrozenSet_Type;
}

/* Classes that only make values. */
static bool is_value_class(PyObject *object)
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

static bool has_type_name(PyObject *object, const char *const *names)
{
    cleanup_py PyObject *name = PyType_GetName(Py_TYPE(object));
    bool found = false;

    for (size_t i = 0; name != NULL && !found && names[i] != NULL; i++)
        found = PyUnicode_CompareWithASCIIString(name, names[i]) == 0;
    PyErr_Clear(); /* a type without a name is none of these */
    return found;
}

static bool is_cells_function(PyObject *object)
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

    return has_type_name(object, names);
}

static bool carriers_are_in_class(PyTypeObject *type);

static bool is_found(struct search *search, PyObject *object)
{
    cleanup_py PyObject *name = PyType_GetName(Py_TYPE(object));
    const char *text = name != NULL ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;

    snprintf(search->name, CARRIER_NAME, "%.100s", text != NULL ? text : "an object");
    PyErr_Clear();
    return true;
}

/* ---- classes -------------------------------------------------------------------------------- */

bool carriers_is_one(PyObject *object)
{
    PyObject *parts[3];
    bool found = PyCFunction_Check(object) || calls_on(object) ||
                 (class_is_open((PyObject *)Py_TYPE(object)) && carriers_are_in_class(Py_TYPE(object)));

    class_unwrap(object, parts);
    for (size_t i = 0; !found && i < 3; i++)
        found = parts[i] != NULL && parts[i] != object && carriers_is_one(parts[i]);
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
                                  carriers_is_one(value));
    }
    PyErr_Clear(); /* found, in doubt */
    return found;
}

static bool carriers_are_in_class(PyTypeObject *type)
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

/* Written in a cell, or without any function at all: then what its objects hold is the cell's. */
static bool is_cells_class(PyTypeObject *type)
{
    cleanup_py PyObject *space = class_space(type);
    cleanup_py PyObject *values = space != NULL ? PyMapping_Values(space) : NULL;
    bool has_library_function = false;

    for (Py_ssize_t i = 0; values != NULL && i < PyList_Size(values); i++) {
        PyObject *value = PyList_GetItem(values, i);

        if (is_cells_function(value))
            return true;
        has_library_function = has_library_function || class_is_function(value);
    }
    PyErr_Clear();
    return !has_library_function;
}

/* ---- searching ------------------------------------------------------------------------------ */

static int visit(PyObject *object, void *data)
{
    struct search *search = data;
    cleanup_py PyObject *address = NULL;

    if (is_atom(object) || object == search->ignored || search->is_full)
        return 0;
    address = PyLong_FromVoidPtr(object);
    if (address == NULL || PySet_Contains(search->met, address) == 1)
        return 0;
    if (PySet_Size(search->met) >= OBJECTS_MAX || PySet_Add(search->met, address) < 0 ||
        PyList_Append(search->into, object) < 0)
        search->is_full = true;
    return 0;
}

static void look_inside(struct search *search, PyObject *object)
{
    traverseproc traverse = (traverseproc)PyType_GetSlot(Py_TYPE(object), Py_tp_traverse);

    search->ignored = (PyObject *)Py_TYPE(object);
    if (traverse != NULL && PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_HAVE_GC))
        traverse(object, visit, search);
}

static bool is_cells_method(PyObject *object)
{
    PyObject *parts[3] = {NULL, NULL, NULL};

    if (class_is_bound_method(object))
        class_unwrap(object, parts);
    return parts[0] != NULL && is_cells_function(parts[0]);
}

/* A coroutine or generator that is not the cell's own code: who awaits it runs what the cell has asked it for. */
static bool is_under_way(PyObject *object)
{
    static const struct {
        const char *type;
        const char *code;
    } kinds[] = {{"coroutine", "cr_code"}, {"generator", "gi_code"}, {"async_generator", "ag_code"}};
    bool is_ours = true;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *const names[] = {kinds[i].type, NULL};
        cleanup_py PyObject *code = NULL;

        if (class_is_open((PyObject *)Py_TYPE(object)) || !has_type_name(object, names))
            continue;
        code = PyObject_GetAttrString(object, kinds[i].code);
        is_ours = code != NULL && caller_is_marked_user(code);
    }
    PyErr_Clear();
    return !is_ours;
}

static bool is_carrier(PyObject *object, bool was_given)
{
    if (was_given && is_under_way(object))
        return true;
    if (carriers_is_one(object))
        return true;
    if (!was_given || !(class_is_function(object) || class_is_bound_method(object) ||
                        PyType_Check(object)))
        return false;
    return !is_value_class(object);
}

static bool look_at(struct search *search, PyObject *object, bool was_given)
{
    static const char *const namespaces[] = {"SimpleNamespace", NULL};
    bool is_cells;

    if (is_cells_function(object) || is_cells_method(object) || PyModule_Check(object))
        return false;
    if (is_carrier(object, was_given))
        return is_found(search, object);
    if (PyType_Check(object) || class_is_function(object))
        return false; /* the namespace of a module or a class is not what was handed over */
    is_cells = is_plain_container(object) || has_type_name(object, namespaces) ||
               (class_is_open((PyObject *)Py_TYPE(object)) && is_cells_class(Py_TYPE(object)));
    search->into = was_given && is_cells ? search->given : search->inside;
    look_inside(search, object);
    return false;
}

static bool look_through(struct search *search, PyObject *list, bool were_given)
{
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++)
        if (look_at(search, PyList_GetItem(list, i), were_given))
            return true;
    return false;
}

static void search_finish(struct search *search)
{
    Py_XDECREF(search->met);
    Py_XDECREF(search->given);
    Py_XDECREF(search->inside);
}

bool carriers_are_in(PyObject *argument, char ret_name[CARRIER_NAME])
{
    __attribute__((cleanup(search_finish))) struct search search = {.name = ret_name};

    search.met = PySet_New(NULL);
    search.given = PyList_New(0);
    search.inside = PyList_New(0);
    search.into = search.given;
    if (search.met == NULL || search.given == NULL || search.inside == NULL)
        search.is_full = true;
    else
        visit(argument, &search);
    if (!search.is_full && (look_through(&search, search.given, true) ||
                            look_through(&search, search.inside, false)))
        return true;
    if (search.is_full)
        snprintf(ret_name, CARRIER_NAME, "too many objects to look through");
    return search.is_full;
}
