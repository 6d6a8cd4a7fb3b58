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

static struct {
    PyObject *warn; /* what it calls is below a barrier; the adapters of sqlite3 close over it from 3.14 on */
} state;

int carriers_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_warnings");

    if (state.warn == NULL && module != NULL)
        state.warn = PyObject_GetAttrString(module, "warn");
    return state.warn != NULL ? 0 : -1;
}

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

enum { PLAIN_DEPTH = 4 };

static bool is_plain_at(PyObject *object, unsigned depth)
{
    cleanup_py PyObject *items = NULL;
    bool is_plain = is_atom(object);

    if (is_plain || depth == 0 || !is_plain_container(object))
        return is_plain;
    items = PyDict_CheckExact(object) ? PyDict_Items(object) : PySequence_List(object);
    is_plain = items != NULL;
    for (Py_ssize_t i = 0; is_plain && i < PyList_Size(items); i++)
        is_plain = is_plain_at(PyList_GetItem(items, i), depth - 1);
    PyErr_Clear();
    return is_plain;
}

bool carriers_is_plain(PyObject *object)
{
    return is_plain_at(object, PLAIN_DEPTH);
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

bool carriers_cell_wrote(PyObject *object)
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

bool carriers_run_bare(PyObject *object)
{
    return calls_on(object) || (PyCFunction_Check(object) && object != state.warn);
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

/* By itself; what functions close over is looked at by a search. */
static bool is_one(PyObject *object)
{
    PyObject *parts[3];
    bool found = carriers_run_bare(object) ||
                 (class_is_open((PyObject *)Py_TYPE(object)) && carriers_are_in_class(Py_TYPE(object)));

    class_unwrap(object, parts);
    for (size_t i = 0; !found && i < 3; i++)
        found = parts[i] != NULL && parts[i] != object && is_one(parts[i]);
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
                                  is_one(value));
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

        if (carriers_cell_wrote(value))
            return true;
        has_library_function = has_library_function || class_is_function(value);
    }
    PyErr_Clear();
    return !has_library_function;
}

/* ---- searching ------------------------------------------------------------------------------ */

static bool is_new(struct search *search, PyObject *object)
{
    cleanup_py PyObject *address = PyLong_FromVoidPtr(object);

    if (address != NULL && PySet_Contains(search->met, address) == 1)
        return false;
    search->is_full = search->is_full || address == NULL || PySet_Add(search->met, address) < 0;
    return true;
}

static int visit(PyObject *object, void *data)
{
    struct search *search = data;

    if (is_atom(object) || object == search->ignored || search->is_full || !is_new(search, object))
        return 0;
    if (PySet_Size(search->met) >= OBJECTS_MAX || PyList_Append(search->into, object) < 0)
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

/* What a function of a library closes over, it may call: functools.singledispatch() makes one of anything. */
static void look_into_function(struct search *search, PyObject *function)
{
    PyObject *closure = compat.function_closure(function);

    search->into = search->inside;
    search->ignored = NULL;
    for (Py_ssize_t i = 0; closure != NULL && i < PyTuple_Size(closure); i++) {
        cleanup_py PyObject *value = compat.cell_get(PyTuple_GetItem(closure, i));

        if (value != NULL)
            visit(value, search);
    }
}

static bool has_name(PyObject *function, PyObject *name)
{
    cleanup_py PyObject *own = PyObject_GetAttrString(compat.function_code(function), "co_name");

    return own != NULL && PyUnicode_CheckExact(name) && PyUnicode_Compare(own, name) == 0;
}

/* A method that is known by the name with which it was written is what its class says. `name`: NULL for none. */
static void meet_function(struct search *search, PyObject *name, PyObject *value)
{
    PyObject *parts[3];

    class_unwrap(value, parts);
    for (size_t i = 0; i < 3; i++)
        if (parts[i] != NULL && parts[i] != value)
            meet_function(search, name, parts[i]);
    if (class_is_function(value) && compat.function_closure(value) != NULL &&
        (name == NULL || !has_name(value, name)))
        visit(value, search);
}

/* Methods are functions, too. */
static void look_into_class(struct search *search, PyTypeObject *type)
{
    cleanup_py PyObject *mro =
        class_is_open((PyObject *)type) && is_new(search, (PyObject *)type) ? class_mro(type) : NULL;

    search->into = search->inside;
    search->ignored = NULL;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_Size(mro); i++) {
        PyObject *base = PyTuple_GetItem(mro, i);
        cleanup_py PyObject *space = class_is_open(base) ? class_space((PyTypeObject *)base) : NULL;
        cleanup_py PyObject *items = space != NULL ? PyMapping_Items(space) : NULL;

        for (Py_ssize_t j = 0; items != NULL && j < PyList_Size(items); j++)
            meet_function(search, PyTuple_GetItem(PyList_GetItem(items, j), 0),
                          PyTuple_GetItem(PyList_GetItem(items, j), 1));
    }
    PyErr_Clear();
}

static bool is_cells_method(PyObject *object)
{
    PyObject *parts[3] = {NULL, NULL, NULL};

    if (class_is_bound_method(object))
        class_unwrap(object, parts);
    return parts[0] != NULL && carriers_cell_wrote(parts[0]);
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
    if (is_one(object))
        return true;
    if (!was_given || !(class_is_function(object) || class_is_bound_method(object) ||
                        PyType_Check(object)))
        return false;
    return !is_value_class(object);
}

/* What overloaded methods close over: it does what its operands do. */
static bool is_operator(PyObject *object)
{
    static const char *const names[] = {"abs", "divmod", "hash", "isinstance", "len", "pow", "repr", "round", NULL};
    PyObject *module = PyCFunction_Check(object) ? PyCFunction_GetSelf(object) : NULL;
    PyModuleDef *definition = module != NULL && PyModule_Check(module) ? PyModule_GetDef(module) : NULL;
    cleanup_py PyObject *name = definition != NULL ? PyObject_GetAttrString(object, "__name__") : NULL;
    bool found = false;

    if (name == NULL || definition->m_name == NULL)
        return false;
    if (strcmp(definition->m_name, "_operator") == 0)
        return PyUnicode_CompareWithASCIIString(name, "call") != 0;
    for (size_t i = 0; strcmp(definition->m_name, "builtins") == 0 && names[i] != NULL; i++)
        found = found || PyUnicode_CompareWithASCIIString(name, names[i]) == 0;
    return found;
}

static bool look_at(struct search *search, PyObject *object, bool was_given)
{
    static const char *const namespaces[] = {"SimpleNamespace", NULL};
    bool is_cells;

    if (carriers_cell_wrote(object) || is_cells_method(object) || PyModule_Check(object) ||
        (!was_given && is_operator(object)))
        return false;
    if (is_carrier(object, was_given))
        return is_found(search, object);
    if (PyType_Check(object))
        return false; /* the namespace of a class is not what was handed over */
    if (class_is_function(object)) {
        look_into_function(search, object);
        return false;
    }
    look_into_class(search, Py_TYPE(object));
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

static void search_start(struct search *search, char *name)
{
    *search = (struct search){
        .name = name, .met = PySet_New(NULL), .given = PyList_New(0), .inside = PyList_New(0)};
    search->into = search->given;
    search->is_full = search->met == NULL || search->given == NULL || search->inside == NULL;
}

static bool search_finds(struct search *search)
{
    if (!search->is_full && (look_through(search, search->given, true) ||
                             look_through(search, search->inside, false)))
        return true;
    if (search->is_full)
        snprintf(search->name, CARRIER_NAME, "too many objects to look through");
    PyErr_Clear();
    return search->is_full;
}

bool carriers_are_in(PyObject *argument, char ret_name[CARRIER_NAME])
{
    __attribute__((cleanup(search_finish))) struct search search = {.name = NULL};

    search_start(&search, ret_name);
    if (!search.is_full)
        visit(argument, &search);
    return search_finds(&search);
}

bool carriers_is_one(PyObject *object)
{
    __attribute__((cleanup(search_finish))) struct search search = {.name = NULL};
    char name[CARRIER_NAME];

    if (is_one(object))
        return true;
    if (carriers_cell_wrote(object) || (class_is_function(object) && compat.function_closure(object) == NULL))
        return false;
    search_start(&search, name);
    if (search.is_full)
        return true;
    look_into_class(&search, Py_TYPE(object));
    meet_function(&search, NULL, object);
    return search_finds(&search);
}

bool carriers_are_behind(PyObject *callable)
{
    __attribute__((cleanup(search_finish))) struct search search = {.name = NULL};
    char name[CARRIER_NAME];

    if (carriers_cell_wrote(callable) || is_cells_method(callable))
        return false;
    search_start(&search, name);
    search.into = search.inside;
    if (!search.is_full)
        visit(callable, &search);
    return search_finds(&search);
}
