#include "guard/audit/class_parts.h"

#include "guard/python/compat.h"

static struct {
    PyObject *space; /* type.__dict__["__dict__"], type.__dict__["__mro__"] */
    PyObject *mro;
    PyTypeObject *method;
    PyTypeObject *static_method;
    PyTypeObject *class_method;
    PyTypeObject *partial;
} state;

static PyObject *take(const char *module_name, const char *name)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);

    return module != NULL ? PyObject_GetAttrString(module, name) : NULL;
}

int class_parts_init(void)
{
    cleanup_py PyObject *names = NULL;

    if (state.class_method != NULL)
        return 0;
    names = PyObject_GetAttrString((PyObject *)&PyType_Type, "__dict__");
    state.space = names != NULL ? PyMapping_GetItemString(names, "__dict__") : NULL;
    state.mro = names != NULL ? PyMapping_GetItemString(names, "__mro__") : NULL;
    state.method = (PyTypeObject *)take("types", "MethodType");
    state.static_method = (PyTypeObject *)take("builtins", "staticmethod");
    state.partial = (PyTypeObject *)take("functools", "partial");
    state.class_method = (PyTypeObject *)take("builtins", "classmethod");
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *ask(PyObject *descriptor, PyTypeObject *type)
{
    descrgetfunc get = (descrgetfunc)PyType_GetSlot(Py_TYPE(descriptor), Py_tp_descr_get);

    return get(descriptor, (PyObject *)type, NULL);
}

PyObject *class_space(PyTypeObject *type)
{
    return ask(state.space, type);
}

PyObject *class_mro(PyTypeObject *type)
{
    return ask(state.mro, type);
}

bool class_is_open(PyObject *object)
{
    unsigned long flags = PyType_Check(object) ? PyType_GetFlags((PyTypeObject *)object) : 0;

    return (flags & Py_TPFLAGS_HEAPTYPE) != 0 && (flags & Py_TPFLAGS_IMMUTABLETYPE) == 0;
}

bool class_is_function(PyObject *object)
{
    return Py_TYPE(object) == compat.function_type;
}

bool class_is_bound_method(PyObject *object)
{
    return Py_TYPE(object) == state.method;
}

bool class_is_partial(PyObject *object)
{
    return Py_TYPE(object) == state.partial;
}

bool class_attribute_runs(PyObject *value)
{
    return PyCallable_Check(value) || PyType_GetSlot(Py_TYPE(value), Py_tp_descr_get) != NULL;
}

static PyObject *part(PyObject *object, const char *name)
{
    PyObject *found = PyObject_GetAttrString(object, name); /* a slot of a built-in type */

    PyErr_Clear();
    Py_XDECREF(found); /* the object has it as well */
    return found == Py_None ? NULL : found;
}

void class_unwrap(PyObject *object, PyObject *ret_parts[3])
{
    static const char *const names[] = {"fget", "fset", "fdel"};
    bool is_property = Py_TYPE(object) == &PyProperty_Type;

    for (size_t i = 0; i < 3; i++)
        ret_parts[i] = is_property ? part(object, names[i]) : NULL;
    if (Py_TYPE(object) == state.static_method || Py_TYPE(object) == state.class_method ||
        Py_TYPE(object) == state.method)
        ret_parts[0] = part(object, "__func__");
}

PyObject *class_wrapped(PyObject *object)
{
    static const char *const names[] = {"func", "args", "keywords"};
    bool is_partial = class_is_partial(object);
    PyObject *parts[3] = {NULL, NULL, NULL};
    PyObject *wrapped;

    if (!is_partial && Py_TYPE(object) != &PyProperty_Type &&
        Py_TYPE(object) != state.static_method && Py_TYPE(object) != state.class_method)
        return NULL;
    if (!is_partial)
        class_unwrap(object, parts);
    for (size_t i = 0; is_partial && i < 3; i++)
        parts[i] = part(object, names[i]);
    wrapped = PyTuple_Pack(3, parts[0] != NULL ? parts[0] : Py_None, parts[1] != NULL ? parts[1] : Py_None,
                           parts[2] != NULL ? parts[2] : Py_None);
    PyErr_Clear(); /* no memory: nothing is known of it */
    return wrapped;
}

/* New; NULL without an exception for a name that it does not have. */
static PyObject *find(PyTypeObject *type, PyObject *name)
{
    cleanup_py PyObject *mro = class_mro(type);

    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_Size(mro); i++) {
        cleanup_py PyObject *space = class_space((PyTypeObject *)PyTuple_GetItem(mro, i));
        PyObject *value = space != NULL ? PyObject_GetItem(space, name) : NULL;

        PyErr_Clear(); /* KeyError: not in this one */
        if (value != NULL)
            return value;
    }
    PyErr_Clear();
    return NULL;
}

bool class_has_function(PyTypeObject *type, PyObject *name)
{
    cleanup_py PyObject *value = find(type, name);

    return value != NULL && class_is_function(value);
}

bool class_hides(PyTypeObject *type, PyObject *name)
{
    cleanup_py PyObject *value = find(type, name);

    return value != NULL && PyType_GetSlot(Py_TYPE(value), Py_tp_descr_set) != NULL;
}
