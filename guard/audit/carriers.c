#include "guard/audit/carriers.h"

#include "guard/audit/caller.h"
#include "guard/audit/carrier_kinds.h"
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

static bool is_found(struct search *search, PyObject *object)
{
    cleanup_py PyObject *name = PyType_GetName(Py_TYPE(object));
    const char *text = name != NULL ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;

    snprintf(search->name, CARRIER_NAME, "%.100s", text != NULL ? text : "an object");
    PyErr_Clear();
    return true;
}

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

    if (carrier_is_atom(object) || object == search->ignored || search->is_full || !is_new(search, object))
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
    return parts[0] != NULL && carrier_cell_wrote(parts[0]);
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

        if (class_is_open((PyObject *)Py_TYPE(object)) || !carrier_has_type_name(object, names))
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
    if (carrier_by_itself(object))
        return true;
    if (!was_given || !(class_is_function(object) || class_is_bound_method(object) ||
                        PyType_Check(object)))
        return false;
    return !carrier_is_value_class(object);
}

/* What functions of libraries close over: an operator does what its operands do; what warn() calls is below a barrier. */
static bool is_harmless_inside(PyObject *object)
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
    if (strcmp(definition->m_name, "_warnings") == 0)
        return PyUnicode_CompareWithASCIIString(name, "warn") == 0;
    for (size_t i = 0; strcmp(definition->m_name, "builtins") == 0 && names[i] != NULL; i++)
        found = found || PyUnicode_CompareWithASCIIString(name, names[i]) == 0;
    return found;
}

static bool look_at(struct search *search, PyObject *object, bool was_given)
{
    static const char *const namespaces[] = {"SimpleNamespace", NULL};
    bool is_cells;

    if (carrier_cell_wrote(object) || is_cells_method(object) || PyModule_Check(object) ||
        (!was_given && is_harmless_inside(object)))
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
    is_cells = carrier_is_container(object) || carrier_has_type_name(object, namespaces) ||
               (class_is_open((PyObject *)Py_TYPE(object)) && carrier_is_cells_class(Py_TYPE(object)));
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

    if (carrier_by_itself(object))
        return true;
    if (carrier_cell_wrote(object) || (class_is_function(object) && compat.function_closure(object) == NULL))
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

    if (carrier_cell_wrote(callable) || is_cells_method(callable))
        return false;
    search_start(&search, name);
    search.into = search.inside;
    if (!search.is_full)
        visit(callable, &search);
    return search_finds(&search);
}
