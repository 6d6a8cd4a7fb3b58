#include "guard/audit/native_code.h"

#include "guard/python/compat.h"
#include "guard/python/py_cleanup.h"

#include <string.h>

/* How often a call is handed on before nobody follows any more. */
#define BEHIND_MAX 16
/* `tp_name` of a PyTypeObject, the same in every version. */
#define OFFSET_TYPE_NAME 24
#define OFFSET_BASIC_SIZE 32

/* Layouts that the limited API does not show, the same from 3.11 to 3.14. A compiled Cython function begins like
   a built-in one. */
struct c_function {
    PyObject_HEAD
    PyMethodDef *definition;
};
struct descriptor {
    PyObject_HEAD
    PyTypeObject *type;
    PyObject *name;
    PyObject *qualname;
};
struct method_descriptor {
    struct descriptor of;
    PyMethodDef *definition;
};
struct slot_descriptor {
    struct descriptor of;
    const void *base;
    void *wrapped;
};
struct bound_slot {
    PyObject_HEAD
    struct slot_descriptor *descriptor;
};

/* A type whose objects hand calls on, and the member that says to whom. */
struct carrier {
    PyTypeObject *type;
    PyObject *member;
};
enum { CARRIER_METHOD, CARRIER_PARTIAL, CARRIER_STATIC, CARRIER_ALIAS, CARRIER_COUNT };

static struct {
    PyTypeObject *method_descriptor;
    PyTypeObject *class_method_descriptor;
    PyTypeObject *slot_descriptor;
    PyTypeObject *bound_slot;
    PyTypeObject *proxy;
    struct carrier carriers[CARRIER_COUNT];
    void *python_call;    /* the slot of a class with a __call__ in Python */
    void *python_dealloc; /* and of any class made by a class statement */
} state;

/* ---- start ---------------------------------------------------------------------------------- */

static PyTypeObject *type_of(const char *module_name, const char *name)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);

    return module != NULL ? (PyTypeObject *)PyObject_GetAttrString(module, name) : NULL;
}

static int find_carrier(struct carrier *carrier, const char *module, const char *type,
                        const char *member)
{
    cleanup_py PyObject *members = NULL;

    carrier->type = type_of(module, type);
    if (carrier->type == NULL)
        return -1;
    members = PyObject_GetAttrString((PyObject *)carrier->type, "__dict__");
    carrier->member = members != NULL ? PyMapping_GetItemString(members, member) : NULL;
    return carrier->member != NULL ? 0 : -1;
}

int native_code_start(void)
{
    cleanup_py PyObject *sample = NULL;

    if (state.python_call != NULL)
        return 0;
    state.method_descriptor = type_of("types", "MethodDescriptorType");
    state.class_method_descriptor = type_of("types", "ClassMethodDescriptorType");
    state.slot_descriptor = type_of("types", "WrapperDescriptorType");
    state.bound_slot = type_of("types", "MethodWrapperType");
    state.proxy = type_of("weakref", "CallableProxyType");
    if (state.method_descriptor == NULL ||
        state.class_method_descriptor == NULL || state.slot_descriptor == NULL ||
        state.bound_slot == NULL || state.proxy == NULL ||
        find_carrier(&state.carriers[CARRIER_METHOD], "types", "MethodType", "__func__") < 0 ||
        find_carrier(&state.carriers[CARRIER_PARTIAL], "functools", "partial", "func") < 0 ||
        find_carrier(&state.carriers[CARRIER_STATIC], "builtins", "staticmethod", "__func__") < 0 ||
        find_carrier(&state.carriers[CARRIER_ALIAS], "types", "GenericAlias", "__origin__") < 0)
        return -1;
    sample =
        PyObject_CallFunction((PyObject *)&PyType_Type, "s(){sO}", "sample", "__call__", Py_None);
    if (sample == NULL)
        return -1;
    state.python_dealloc = PyType_GetSlot((PyTypeObject *)sample, Py_tp_dealloc);
    state.python_call = PyType_GetSlot((PyTypeObject *)sample, Py_tp_call);
    return 0;
}

/* ---- who is behind -------------------------------------------------------------------------- */

/* The member as C stores it: attributes of a derived class are not asked. New; NULL without an exception. */
static PyObject *member_of(const struct carrier *carrier, PyObject *object)
{
    descrgetfunc get = (descrgetfunc)PyType_GetSlot(Py_TYPE(carrier->member), Py_tp_descr_get);
    PyObject *value = get != NULL ? get(carrier->member, object, (PyObject *)Py_TYPE(object)) : NULL;

    if (value == NULL)
        PyErr_Clear();
    return value;
}

static PyObject *one_behind(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);

    if (type == compat.function_type || type == state.method_descriptor || PyType_Check(callable) ||
        PyCFunction_Check(callable) ||
        (void *)PyType_GetSlot(type, Py_tp_call) == state.python_call)
        return NULL;
    for (unsigned i = 0; i < CARRIER_COUNT; i++)
        if (type == state.carriers[i].type || PyType_IsSubtype(type, state.carriers[i].type))
            return member_of(&state.carriers[i], callable);
    return type == state.proxy ? compat_referent(callable) : NULL;
}

PyObject *native_code_behind(PyObject *callable)
{
    PyObject *behind = py_own(callable);

    for (int i = 0; i < BEHIND_MAX; i++) {
        PyObject *next = one_behind(behind);

        if (next == NULL)
            break;
        Py_DECREF(behind);
        behind = next;
    }
    return behind;
}

bool native_code_tells(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);

    if (PyType_Check(callable))
        return type == &PyType_Type && (void *)PyType_GetSlot((PyTypeObject *)callable, Py_tp_dealloc) !=
                                           state.python_dealloc;
    return type == compat.function_type || (PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE) == 0 ||
           (void *)PyType_GetSlot(type, Py_tp_dealloc) != state.python_dealloc;
}

/* ---- Cython --------------------------------------------------------------------------------- */

const PyMethodDef *native_code_maybe_definition(PyObject *callable)
{
    Py_ssize_t size;

    memcpy(&size, (const char *)Py_TYPE(callable) + OFFSET_BASIC_SIZE, sizeof(size));
    return size >= (Py_ssize_t)sizeof(struct c_function)
               ? ((struct c_function *)callable)->definition
               : NULL;
}

/* ---- one callable --------------------------------------------------------------------------- */

static const char *static_name(PyTypeObject *type)
{
    const char *name = NULL;

    while (type != NULL && (PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE) != 0)
        type = PyType_GetSlot(type, Py_tp_base);
    if (type != NULL)
        memcpy(&name, (const char *)type + OFFSET_TYPE_NAME, sizeof(name));
    return name;
}

static void add(struct native_code *code, const void *address)
{
    if (address != NULL)
        code->addresses[code->count++] = address;
}

/* The definition is where the module says it is; that function may be the guard's own (method_patch). */
static void read_definition(struct native_code *code, const PyMethodDef *definition)
{
    code->name = definition->ml_name;
    code->has_definition = true;
    add(code, definition);
    add(code, (const void *)(uintptr_t)definition->ml_meth);
}

static void add_slot(struct native_code *code, PyTypeObject *type, int slot)
{
    add(code, PyType_GetSlot(type, slot));
}

static void read_class(struct native_code *code, PyTypeObject *type)
{
    code->type_name = static_name(type);
    add_slot(code, Py_TYPE((PyObject *)type), Py_tp_call);
    add_slot(code, type, Py_tp_new);
    add_slot(code, type, Py_tp_init);
}

static void read_slot(struct native_code *code, const struct slot_descriptor *descriptor)
{
    code->type_name = static_name(descriptor->of.type);
    add(code, descriptor->wrapped);
}

const PyMethodDef *native_code_at_once(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);

    if (type == state.method_descriptor)
        return ((struct method_descriptor *)callable)->definition;
    return type == &PyCFunction_Type ? ((struct c_function *)callable)->definition : NULL;
}

bool native_code_of(PyObject *callable, struct native_code *ret_code)
{
    PyTypeObject *type = Py_TYPE(callable);
    cleanup_py PyObject *behind = NULL;

    *ret_code = (struct native_code){.count = 0};
    if (type == compat.function_type)
        return false;
    behind = one_behind(callable);
    if (behind != NULL) {
        ret_code->is_hidden = true;
        return true;
    }
    if (PyCFunction_Check(callable)) {
        PyObject *self = PyCFunction_GetSelf(callable);

        ret_code->is_function = self == NULL || PyModule_Check(self);
        if (!ret_code->is_function)
            ret_code->type_name = static_name(PyType_Check(self) ? (PyTypeObject *)self : Py_TYPE(self));
        read_definition(ret_code, ((struct c_function *)callable)->definition);
        return true;
    }
    if (type == state.method_descriptor || type == state.class_method_descriptor) {
        ret_code->type_name = static_name(((struct descriptor *)callable)->type);
        read_definition(ret_code, ((struct method_descriptor *)callable)->definition);
        return true;
    }
    if (type == state.slot_descriptor)
        read_slot(ret_code, (struct slot_descriptor *)callable);
    else if (type == state.bound_slot)
        read_slot(ret_code, ((struct bound_slot *)callable)->descriptor);
    else if (PyType_Check(callable))
        read_class(ret_code, (PyTypeObject *)callable);
    else if ((void *)PyType_GetSlot(type, Py_tp_call) == state.python_call)
        return false;
    else {
        ret_code->type_name = static_name(type);
        ret_code->is_object = true;
        add_slot(ret_code, type, Py_tp_call);
    }
    return ret_code->count > 0;
}
