/*
 * A C function gets no pointer to what it is called as, so a patch needs a function of its own per
 * PyMethodDef. They are made by macros: for each slot one trampoline per calling convention, which
 * only knows its number.
 */
#include "guard/python/method_patch.h"

#include "guard/link/buffer.h"
#include "guard/python/py_cleanup.h"

#include <stdbool.h>
#include <string.h>

#define SLOT_COUNT 192
#define ARGUMENTS_ON_STACK 12

/* The layouts behind PyCFunctionObject and PyMethodDescrObject, which the limited API does not show;
   find_definition() verifies what it reads through them. */
struct c_function {
    PyObject_HEAD
    PyMethodDef *definition;
};
struct method_descriptor {
    PyObject_HEAD
    PyTypeObject *type;
    PyObject *name;
    PyObject *qualname;
    PyMethodDef *definition;
};

struct method_patch {
    method_patch_function function;
    void *data;
    const struct method_patch *next; /* the patch made before this one; NULL: the original */
    unsigned slot;
};

static struct slot {
    PyMethodDef *definition;
    PyCFunction original;
    int convention; /* METH_VARARGS, …: without METH_CLASS, METH_STATIC, METH_COEXIST */
    const struct method_patch *newest;
} slots[SLOT_COUNT];
static unsigned slots_used;

/* ---- calling the original ------------------------------------------------------------------- */

static PyObject *keywords_dict(const struct method_call *call)
{
    cleanup_py PyObject *keywords = PyDict_New();
    Py_ssize_t count = call->kwnames != NULL ? PyTuple_Size(call->kwnames) : 0;

    for (Py_ssize_t i = 0; keywords != NULL && i < count; i++)
        if (PyDict_SetItem(keywords, PyTuple_GetItem(call->kwnames, i),
                           call->args[call->positional + i]) < 0)
            return NULL;
    return steal(keywords);
}

static PyObject *positional_tuple(const struct method_call *call)
{
    PyObject *tuple = PyTuple_New(call->positional);

    for (Py_ssize_t i = 0; tuple != NULL && i < call->positional; i++)
        PyTuple_SetItem(tuple, i, py_own(call->args[i]));
    return tuple;
}

static PyObject *call_varargs(const struct slot *slot, const struct method_call *call)
{
    cleanup_py PyObject *tuple = positional_tuple(call);
    cleanup_py PyObject *keywords = NULL;

    if (tuple == NULL)
        return NULL;
    if ((slot->convention & METH_KEYWORDS) == 0)
        return slot->original(call->self, tuple);
    if (call->kwnames != NULL) {
        keywords = keywords_dict(call);
        if (keywords == NULL)
            return NULL;
    }
    return ((PyCFunctionWithKeywords)(void *)slot->original)(call->self, tuple, keywords);
}

/* The limited API of 3.11 has no name for these two types. */
typedef PyObject *(*fast_function)(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *(*fast_function_with_keywords)(PyObject *, PyObject *const *, Py_ssize_t,
                                                 PyObject *);
typedef PyObject *(*class_function)(PyObject *, PyTypeObject *, PyObject *const *, Py_ssize_t,
                                    PyObject *);
#define METHOD_OF_CLASS (METH_METHOD | METH_FASTCALL | METH_KEYWORDS)

static PyObject *call_original(const struct slot *slot, const struct method_call *call)
{
    switch (slot->convention) {
    case METH_NOARGS:
        return slot->original(call->self, NULL);
    case METH_O:
        return slot->original(call->self, call->args[0]);
    case METH_FASTCALL:
        return ((fast_function)(void *)slot->original)(call->self, call->args, call->positional);
    case METH_FASTCALL | METH_KEYWORDS:
        return ((fast_function_with_keywords)(void *)slot->original)(
            call->self, call->args, call->positional, call->kwnames);
    case METHOD_OF_CLASS:
        return ((class_function)(void *)slot->original)(call->self, call->defining, call->args,
                                                        call->positional, call->kwnames);
    default:
        return call_varargs(slot, call);
    }
}

PyObject *method_call_next(const struct method_call *call)
{
    const struct method_patch *next = call->patch->next;
    struct method_call inner = *call;

    if (next == NULL)
        return call_original(&slots[call->patch->slot], call);
    inner.patch = next;
    return next->function(&inner, next->data);
}

PyObject *method_call_next_with(const struct method_call *call, Py_ssize_t index, PyObject *value)
{
    Py_ssize_t keywords = call->kwnames != NULL ? PyTuple_Size(call->kwnames) : 0;
    size_t count = (size_t)(call->positional + keywords);
    cleanup_free PyObject **args = xcalloc(count + 1, sizeof(PyObject *));
    struct method_call changed = *call;

    memcpy(args, call->args, count * sizeof(*args));
    args[index] = value;
    changed.args = args;
    return method_call_next(&changed);
}

PyObject *method_call_argument(const struct method_call *call, Py_ssize_t index, const char *name)
{
    Py_ssize_t keywords = call->kwnames != NULL ? PyTuple_Size(call->kwnames) : 0;

    if (index >= 0 && index < call->positional)
        return call->args[index];
    for (Py_ssize_t i = 0; name != NULL && i < keywords; i++)
        if (PyUnicode_CompareWithASCIIString(PyTuple_GetItem(call->kwnames, i), name) == 0)
            return call->args[call->positional + i];
    return NULL;
}

/* ---- being called --------------------------------------------------------------------------- */

static PyObject *run_method(unsigned slot, PyObject *self, PyTypeObject *defining,
                            PyObject *const *args, Py_ssize_t positional, PyObject *kwnames)
{
    const struct method_patch *newest = slots[slot].newest;
    struct method_call call = {newest, self, args, positional, kwnames, defining};

    return newest->function(&call, newest->data);
}

static PyObject *run(unsigned slot, PyObject *self, PyObject *const *args, Py_ssize_t positional,
                     PyObject *kwnames)
{
    return run_method(slot, self, NULL, args, positional, kwnames);
}

static PyObject *run_noargs(unsigned slot, PyObject *self)
{
    return run(slot, self, NULL, 0, NULL);
}

static PyObject *run_one(unsigned slot, PyObject *self, PyObject *argument)
{
    return run(slot, self, &argument, 1, NULL);
}

/* Spreads a tuple and a dict out into a vector. The tuple and the dict keep the values alive. */
static PyObject *run_tuple(unsigned slot, PyObject *self, PyObject *tuple, PyObject *keywords)
{
    Py_ssize_t positional = PyTuple_Size(tuple);
    Py_ssize_t named = keywords != NULL ? PyDict_Size(keywords) : 0;
    PyObject *on_stack[ARGUMENTS_ON_STACK];
    cleanup_free PyObject **on_heap = NULL;
    PyObject **args = on_stack;
    cleanup_py PyObject *kwnames = named > 0 ? PyTuple_New(named) : NULL;
    PyObject *key, *value;
    Py_ssize_t position = 0;

    if (named > 0 && kwnames == NULL)
        return NULL;
    if (positional + named > ARGUMENTS_ON_STACK)
        args = on_heap = xcalloc((size_t)(positional + named), sizeof(PyObject *));
    for (Py_ssize_t i = 0; i < positional; i++)
        args[i] = PyTuple_GetItem(tuple, i);
    for (Py_ssize_t i = 0; i < named && PyDict_Next(keywords, &position, &key, &value); i++) {
        /* Plain: an object of a class of its own says itself what it is equal to, and the original asks it again. */
        PyObject *name = PyUnicode_FromObject(key);

        if (name == NULL)
            return NULL;
        PyTuple_SetItem(kwnames, i, name);
        args[positional + i] = value;
    }
    return run(slot, self, args, positional, kwnames);
}

/* One set of trampolines per slot; `n` is written in octal digits by the macros below. */
#define TRAMPOLINES(n)                                                                             \
    static PyObject *noargs_##n(PyObject *self, PyObject *unused)                                  \
    {                                                                                              \
        (void)unused;                                                                              \
        return run_noargs(0##n, self);                                                             \
    }                                                                                              \
    static PyObject *one_##n(PyObject *self, PyObject *argument)                                   \
    {                                                                                              \
        return run_one(0##n, self, argument);                                                      \
    }                                                                                              \
    static PyObject *fast_##n(PyObject *self, PyObject *const *args, Py_ssize_t count)             \
    {                                                                                              \
        return run(0##n, self, args, count, NULL);                                                 \
    }                                                                                              \
    static PyObject *fast_keywords_##n(PyObject *self, PyObject *const *args, Py_ssize_t count,    \
                                       PyObject *kwnames)                                          \
    {                                                                                              \
        return run(0##n, self, args, count, kwnames);                                              \
    }                                                                                              \
    static PyObject *method_##n(PyObject *self, PyTypeObject *defining, PyObject *const *args,     \
                                Py_ssize_t count, PyObject *kwnames)                               \
    {                                                                                              \
        return run_method(0##n, self, defining, args, count, kwnames);                             \
    }                                                                                              \
    static PyObject *tuple_##n(PyObject *self, PyObject *tuple)                                    \
    {                                                                                              \
        return run_tuple(0##n, self, tuple, NULL);                                                 \
    }                                                                                              \
    static PyObject *tuple_keywords_##n(PyObject *self, PyObject *tuple, PyObject *keywords)       \
    {                                                                                              \
        return run_tuple(0##n, self, tuple, keywords);                                             \
    }
#define ENTRY(n)                                                                                   \
    {noargs_##n, one_##n,   fast_##n,          fast_keywords_##n,                                 \
     method_##n, tuple_##n, tuple_keywords_##n},

/* All numbers from 000 to 277 in octal. */
#define EIGHT(do, p) do (p##0) do (p##1) do (p##2) do (p##3) do (p##4) do (p##5) do (p##6) do (p##7)
#define SIXTY_FOUR(do, p)                                                                          \
    EIGHT(do, p##0)                                                                                \
    EIGHT(do, p##1)                                                                                \
    EIGHT(do, p##2)                                                                                \
    EIGHT(do, p##3)                                                                                \
    EIGHT(do, p##4) EIGHT(do, p##5) EIGHT(do, p##6) EIGHT(do, p##7)
#define ALL_SLOTS(do) SIXTY_FOUR(do, 0) SIXTY_FOUR(do, 1) SIXTY_FOUR(do, 2)

/* clang-format off */
ALL_SLOTS(TRAMPOLINES)

static const struct {
    PyCFunction noargs;
    PyCFunction one;
    fast_function fast;
    fast_function_with_keywords fast_keywords;
    class_function method;
    PyCFunction tuple;
    PyCFunctionWithKeywords tuple_keywords;
} trampolines[SLOT_COUNT] = {ALL_SLOTS(ENTRY)};
/* clang-format on */

/* NULL for a convention that we cannot stand in for. */
static PyCFunction trampoline_for(unsigned slot, int convention)
{
    switch (convention) {
    case METH_NOARGS:
        return trampolines[slot].noargs;
    case METH_O:
        return trampolines[slot].one;
    case METH_FASTCALL:
        return (PyCFunction)(void *)trampolines[slot].fast;
    case METH_FASTCALL | METH_KEYWORDS:
        return (PyCFunction)(void *)trampolines[slot].fast_keywords;
    case METHOD_OF_CLASS:
        return (PyCFunction)(void *)trampolines[slot].method;
    case METH_VARARGS:
        return trampolines[slot].tuple;
    case METH_VARARGS | METH_KEYWORDS:
        return (PyCFunction)(void *)trampolines[slot].tuple_keywords;
    default:
        return NULL;
    }
}

/* ---- patching ------------------------------------------------------------------------------- */

static bool is_method_descriptor(PyObject *callable)
{
    cleanup_py PyObject *join = PyObject_GetAttrString((PyObject *)&PyUnicode_Type, "join");

    return join != NULL && Py_TYPE(callable) == Py_TYPE(join);
}

static bool name_matches(PyObject *callable, const PyMethodDef *definition)
{
    cleanup_py PyObject *name = PyObject_GetAttrString(callable, "__name__");

    return name != NULL && PyUnicode_Check(name) &&
           PyUnicode_CompareWithASCIIString(name, definition->ml_name) == 0;
}

static PyMethodDef *find_definition(PyObject *callable)
{
    PyMethodDef *definition = NULL;

    if (PyCFunction_Check(callable)) {
        definition = ((struct c_function *)callable)->definition;
        if (definition == NULL || definition->ml_meth != PyCFunction_GetFunction(callable))
            return NULL;
    } else if (is_method_descriptor(callable)) {
        definition = ((struct method_descriptor *)callable)->definition;
    }
    if (definition == NULL || definition->ml_name == NULL || !name_matches(callable, definition))
        return NULL;
    return definition;
}

static struct slot *find_slot(const PyMethodDef *definition)
{
    for (unsigned i = 0; i < slots_used; i++)
        if (slots[i].definition == definition)
            return &slots[i];
    return NULL;
}

bool method_patch_fits(PyObject *callable)
{
    PyMethodDef *definition = find_definition(callable);

    PyErr_Clear(); /* a callable without a name: not one of ours */
    return definition != NULL;
}

bool method_patch_same(PyObject *one, PyObject *other)
{
    PyMethodDef *definition = find_definition(one);
    bool same = definition != NULL && definition == find_definition(other);

    PyErr_Clear(); /* as above */
    return same;
}

static int take_slot(PyMethodDef *definition, struct slot **ret_slot)
{
    int convention = definition->ml_flags & ~(METH_CLASS | METH_STATIC | METH_COEXIST);

    if (slots_used == SLOT_COUNT)
        return METHOD_PATCH_E_FULL;
    if (trampoline_for(slots_used, convention) == NULL)
        return METHOD_PATCH_E_NOT_BUILTIN;
    *ret_slot = &slots[slots_used++];
    **ret_slot = (struct slot){definition, definition->ml_meth, convention, NULL};
    return 0;
}

static int patch_definition(PyMethodDef *definition, method_patch_function function, void *data)
{
    struct slot *slot = find_slot(definition);
    struct method_patch *patch;

    if (slot == NULL) {
        int outcome = take_slot(definition, &slot);

        if (outcome != 0)
            return outcome;
    }
    patch = xcalloc(1, sizeof(*patch));
    *patch = (struct method_patch){function, data, slot->newest, (unsigned)(slot - slots)};
    slot->newest = patch;
    definition->ml_meth = trampoline_for(patch->slot, slot->convention);
    return 0;
}

int method_patch(PyObject *callable, method_patch_function function, void *data)
{
    PyMethodDef *definition = find_definition(callable);

    PyErr_Clear(); /* a callable without a name: not one of ours */
    return definition != NULL ? patch_definition(definition, function, data) : METHOD_PATCH_E_NOT_BUILTIN;
}

static bool is_done(const PyMethodDef *definition, method_patch_function function, const void *data)
{
    const struct slot *slot = definition != NULL ? find_slot(definition) : NULL;
    const struct method_patch *patch = slot != NULL ? slot->newest : NULL;

    while (patch != NULL && (patch->function != function || patch->data != data))
        patch = patch->next;
    return patch != NULL;
}

bool method_patch_is_done(PyObject *callable, method_patch_function function, const void *data)
{
    const PyMethodDef *definition = find_definition(callable);

    PyErr_Clear(); /* as above */
    return is_done(definition, function, data);
}

int method_patch_hidden(PyObject *module, const char *name, method_patch_function function, void *data)
{
    PyModuleDef *made_from = PyModule_Check(module) ? PyModule_GetDef(module) : NULL;
    PyMethodDef *definition = made_from != NULL ? made_from->m_methods : NULL;

    PyErr_Clear();
    while (definition != NULL && definition->ml_name != NULL && strcmp(definition->ml_name, name) != 0)
        definition++;
    if (definition == NULL || definition->ml_name == NULL)
        return METHOD_PATCH_E_NOT_BUILTIN;
    return is_done(definition, function, data) ? 0 : patch_definition(definition, function, data);
}

int method_patch_attribute(PyObject *owner, const char *name, method_patch_function function, void *data)
{
    cleanup_py PyObject *callable = PyObject_GetAttrString(owner, name);

    if (callable == NULL)
        return -1;
    if (method_patch(callable, function, data) == 0)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "safepyrun cannot guard %s on this Python", name);
    return -1;
}
