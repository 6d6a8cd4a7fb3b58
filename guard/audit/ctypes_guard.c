#include "guard/audit/ctypes_guard.h"

#include "guard/audit/hook.h"
#include "guard/audit/loaded_libraries.h"
#include "guard/audit/slot_patch.h"
#include "guard/python/compat.h"
#include "guard/python/method_patch.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

/* getbufferproc, which the limited API leaves out. */
typedef int (*buffer_function)(PyObject *, Py_buffer *, int);

static ternaryfunc original_call;
static newfunc original_simple;
static descrgetfunc original_field_get;
static descrsetfunc original_field_set;
static struct {
    PyObject *module; /* the one that is guarded: types of another copy would not be */
    PyTypeObject *function_type;
    PyObject *restype; /* the descriptor */
    PyTypeObject *data_type; /* of all objects of ctypes */
    PyTypeObject *simple_type;
    buffer_function simple_buffer;
    const void *cast; /* the function behind ctypes.cast() */
} state;

static const struct event_row call_row = {.name = "ctypes.call",
                                          .check = check_native_call,
                                          .arguments = STACK_LIBRARY_SYMBOL_AND_SHAPE,
                                          .words = "call native code"};
static const struct event_row list_row = {.name = "ctypes.list_libraries",
                                          .check = check_native,
                                          .arguments = STACK,
                                          .words = "list the loaded libraries"};
/* A package may want them while it is imported, but so may a cell that replaced what the package calls. */
static const struct event_row new_row = {.name = "ctypes.new",
                                         .check = check_never,
                                         .arguments = NOTHING,
                                         .words = "make a ctypes object that reaches memory"};
static const struct event_row class_row = {.name = "ctypes.class",
                                           .check = check_never,
                                           .arguments = NOTHING,
                                           .words = "change the class of a ctypes object"};
static const struct event_row global_row = {.name = "ctypes.in_dll",
                                            .check = check_never,
                                            .arguments = NOTHING,
                                            .words = "reach a variable of native code"};

/* A ctypes object begins with a pointer to its memory; that of a function holds the address. */
struct ctypes_object {
    PyObject_HEAD void **memory;
};

static PyObject *text_or_none(const char *text)
{
    return text != NULL ? PyUnicode_DecodeFSDefault(text) : py_own(Py_None);
}

/* The code of a simple type, as its C structure has it: 'i', 'z', …; 0 for any other object. A class derived from it can
   have a __buffer__ and a _type_ of its own, which are not asked. */
static char simple_code(PyObject *object)
{
    Py_buffer view;
    char code = '\0';

    if (!PyType_IsSubtype(Py_TYPE(object), state.simple_type))
        return code;
    if (state.simple_buffer(object, &view, PyBUF_FORMAT) < 0) {
        PyErr_Clear();
        return code;
    }
    if (view.format != NULL && (view.format[0] == '<' || view.format[0] == '>') &&
        view.format[2] == '\0')
        code = view.format[1];
    PyBuffer_Release(&view);
    return code;
}

/* The same for what is made of a type. Its attribute _type_ says what a cell has set, or has its metaclass say; made by
   the function of all such types, an object tells, and nothing of the type's own runs. */
static char code_of_objects(PyObject *type)
{
    cleanup_py PyObject *none = PyTuple_New(0);
    cleanup_py PyObject *made = NULL;

    if (none == NULL || !PyType_IsSubtype((PyTypeObject *)type, state.simple_type) ||
        PyType_GetSlot((PyTypeObject *)type, Py_tp_finalize) != NULL)
        return '\0';
    made = original_simple((PyTypeObject *)type, none, NULL);
    return made != NULL ? simple_code(made) : '\0';
}

/* What a function says that it returns. Its own attribute, whatever a class derived from it says. */
static enum native_shape shape_of_result(PyObject *function)
{
    cleanup_py PyObject *result =
        PyObject_CallMethod(state.restype, "__get__", "OO", function, (PyObject *)Py_TYPE(function));
    char code = result != NULL && PyType_Check(result) ? code_of_objects(result) : '\0';

    PyErr_Clear(); /* no result, no memory for an object, or a type that has none */
    if (result == Py_None || code == 'i')
        return NATIVE_NUMBERS;
    return code == 'z' ? NATIVE_TEXT : NATIVE_ANYTHING;
}

/* No argument or one number, and a number or a text comes back: then no memory is named by anybody. */
static enum native_shape shape_of_call(PyObject *function, PyObject *args, PyObject *keywords)
{
    Py_ssize_t count = PyTuple_Size(args);

    if (keywords != NULL && PyDict_Size(keywords) != 0)
        return NATIVE_ANYTHING;
    if (count > 1 || (count == 1 && !PyLong_CheckExact(PyTuple_GetItem(args, 0))))
        return NATIVE_ANYTHING;
    return shape_of_result(function);
}

/* Which library the address lies in, and the symbol there; None where the loader knows neither. */
static int judge_target(PyObject *function, PyObject *args, PyObject *keywords, Dl_info *about,
                        bool is_exact)
{
    cleanup_py PyObject *library = text_or_none(about->dli_fname);
    cleanup_py PyObject *symbol = text_or_none(is_exact ? about->dli_sname : NULL);
    cleanup_py PyObject *shape = PyLong_FromLong(shape_of_call(function, args, keywords));
    PyObject *items[] = {library, symbol, shape};
    struct facts_source source = {items, NULL, 3};

    if (library == NULL || symbol == NULL || shape == NULL)
        return -1;
    return hook_judge(&call_row, &source);
}

/* The address that an object of ctypes holds, or a number is; NULL without an exception for what is neither. New. */
static PyObject *number_in(PyObject *source)
{
    if (PyLong_CheckExact(source))
        return py_own(source);
    if (!PyType_IsSubtype(Py_TYPE(source), state.function_type) && simple_code(source) != 'P')
        return NULL;
    return PyLong_FromVoidPtr(*((struct ctypes_object *)source)->memory);
}

/* What ctypes.cast() gives for c_void_p, a number, and for a function: it is judged when it is called. No pointer comes of
   it; the one of ctypes takes addresses of objects from whoever says that they are such, and is never called. NULL
   without an exception: something else. */
static PyObject *cast_to_harmless(PyObject *args)
{
    PyObject *source = PyTuple_Size(args) == 3 ? PyTuple_GetItem(args, 0) : NULL;
    PyObject *type = source != NULL ? PyTuple_GetItem(args, 2) : NULL;
    cleanup_py PyObject *number = source != NULL ? number_in(source) : NULL;
    cleanup_py PyObject *made = NULL;

    if (number == NULL || !PyType_Check(type))
        return NULL;
    if (PyType_IsSubtype((PyTypeObject *)type, state.function_type))
        return PyObject_CallFunctionObjArgs(type, number, NULL);
    if (!PyType_IsSubtype((PyTypeObject *)type, state.simple_type))
        return NULL;
    made = PyObject_CallFunctionObjArgs(type, NULL);
    if (made == NULL || simple_code(made) != 'P')
        return NULL;
    return PyObject_SetAttrString(made, "value", number) == 0 ? steal(made) : NULL;
}

/* Finalizers of a cell's would give the function another address or result meanwhile: up to 3.11 the collector runs in any
   allocation. */
static int judge_without_collecting(PyObject *function, PyObject *args, PyObject *keywords, Dl_info *about,
                                    bool is_exact)
{
    int collects = PyGC_Disable();
    int result = judge_target(function, args, keywords, about, is_exact);

    if (collects)
        PyGC_Enable();
    return result;
}

static PyObject *guarded_call(PyObject *function, PyObject *args, PyObject *keywords)
{
    const void *address = *((struct ctypes_object *)function)->memory;
    Dl_info about = {NULL, NULL, NULL, NULL};
    bool is_exact = dladdr(address, &about) != 0 && about.dli_saddr == address;

    if (scope_current() == NULL)
        return original_call(function, args, keywords);
    if (is_exact && about.dli_sname != NULL && strcmp(about.dli_sname, "dl_iterate_phdr") == 0) {
        if (hook_judge(&list_row, NULL) < 0)
            return NULL;
        return loaded_libraries_tell(state.function_type, args);
    }
    if (address == state.cast) {
        PyObject *number = cast_to_harmless(args);

        if (number != NULL || PyErr_Occurred())
            return number;
    }
    if (judge_without_collecting(function, args, keywords, &about, is_exact) < 0)
        return NULL;
    if (*((struct ctypes_object *)function)->memory != address) /* by a thread, while a host was asked */
        return PyErr_Format(PyExc_RuntimeError, "the function was changed while it was judged");
    return original_call(function, args, keywords);
}

/* The types whose objects reach memory, each with the function that makes them. */
#define GUARDED_TYPES(DO) DO(0, "Structure") DO(1, "Union") DO(2, "_Pointer") DO(3, "Array")
static newfunc original_new[4];

#define DEFINE_NEW(n, name)                                                                        \
    static PyObject *guarded_new_##n(PyTypeObject *type, PyObject *args, PyObject *keywords)       \
    {                                                                                              \
        return hook_judge(&new_row, NULL) < 0 ? NULL : original_new[n](type, args, keywords);      \
    }
GUARDED_TYPES(DEFINE_NEW)

/* Text and objects by their address. Their memory can be written as a buffer, so the value that one is made with
   means nothing. threadpoolctl makes an empty text for a call that is not made here: it gets the bytes back. */
static PyObject *guarded_simple(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *made = original_simple(type, args, keywords);
    char code = made != NULL ? simple_code(made) : '\0';

    if (made == NULL || scope_current() == NULL || code == '\0' ||
        strchr("bBcdfghHiIlLqQP?v", code) != NULL)
        return made;
    Py_DECREF(made);
    if (PyTuple_Size(args) == 1 && PyBytes_CheckExact(PyTuple_GetItem(args, 0)))
        return py_own(PyTuple_GetItem(args, 0));
    hook_judge(&new_row, NULL);
    if (!PyErr_Occurred()) /* set aside by the host of a scope: still nothing that could be given */
        PyErr_SetString(PyExc_PermissionError, new_row.words);
    return NULL;
}

static const struct {
    const char *name;
    newfunc function;
} guarded_types[] = {
#define LIST_NEW(n, type_name) {type_name, guarded_new_##n},
    GUARDED_TYPES(LIST_NEW)};

static int guard_calls(PyObject *module)
{
    cleanup_py PyObject *type = PyObject_GetAttrString(module, "CFuncPtr");
    void *original;

    if (type == NULL || slot_patch(type, SLOT_CALL, (void *)guarded_call, &original) < 0)
        return -1;
    if ((ternaryfunc)original != guarded_call)
        original_call = (ternaryfunc)original;
    state.function_type = (PyTypeObject *)py_own(type);
    state.restype = PyObject_GetAttrString(type, "restype");
    return state.restype != NULL ? 0 : -1;
}

static int find_cast(PyObject *module)
{
    cleanup_py PyObject *address = PyObject_GetAttrString(module, "_cast_addr");

    if (address == NULL)
        return -1;
    state.cast = PyLong_AsVoidPtr(address);
    return state.cast != NULL ? 0 : -1;
}

static int guard_simple(PyObject *module)
{
    cleanup_py PyObject *type = PyObject_GetAttrString(module, "_SimpleCData");
    void *original;

    if (type == NULL || slot_patch(type, SLOT_NEW, (void *)guarded_simple, &original) < 0)
        return -1;
    original_simple = (newfunc)original;
    state.simple_type = (PyTypeObject *)py_own(type);
    state.simple_buffer = (buffer_function)PyType_GetSlot(state.simple_type, Py_bf_getbuffer);
    state.data_type = (PyTypeObject *)py_own(PyType_GetSlot(state.simple_type, Py_tp_base));
    return state.simple_buffer != NULL ? 0 : -1;
}

/* The field of a structure takes any object of ctypes for one, and reads its memory as what the structure says. There
   are no structures under a guard, so there is nothing to read. */
static PyObject *guarded_field_get(PyObject *field, PyObject *object, PyObject *type)
{
    if (object != NULL && hook_judge(&new_row, NULL) < 0)
        return NULL;
    return original_field_get(field, object, type);
}

static int guarded_field_set(PyObject *field, PyObject *object, PyObject *value)
{
    return hook_judge(&new_row, NULL) < 0 ? -1 : original_field_set(field, object, value);
}

/* The type of a structure's fields: a field shows it. From 3.14 on it has a name, and a structure needs ctypes itself, which
   is just being imported. */
static PyObject *field_type(PyObject *module)
{
    cleanup_py PyObject *structure = PyObject_GetAttrString(module, "Structure");
    cleanup_py PyObject *number = NULL;
    cleanup_py PyObject *sample = NULL;
    cleanup_py PyObject *field = NULL;

    if (compat_at_least(14))
        return PyObject_GetAttrString(module, "CField");
    if (structure == NULL)
        return NULL;
    number = PyObject_CallFunction((PyObject *)Py_TYPE((PyObject *)state.simple_type), "s(O){ss}",
                                   "number", (PyObject *)state.simple_type, "_type_", "i");
    if (number == NULL)
        return NULL;
    sample = PyObject_CallFunction((PyObject *)Py_TYPE(structure), "s(O){s[(sO)]}", "sample",
                                   structure, "_fields_", "field", number);
    field = sample != NULL ? PyObject_GetAttrString(sample, "field") : NULL;
    return field != NULL ? py_own((PyObject *)Py_TYPE(field)) : NULL;
}

static int guard_fields(PyObject *module)
{
    cleanup_py PyObject *field = field_type(module);
    void *get;
    void *set;

    if (field == NULL ||
        slot_patch(field, SLOT_DESCR_GET, (void *)guarded_field_get, &get) < 0 ||
        slot_patch(field, SLOT_DESCR_SET, (void *)guarded_field_set, &set) < 0)
        return -1;
    original_field_get = (descrgetfunc)get;
    original_field_set = (descrsetfunc)set;
    return 0;
}

int ctypes_guard_class(PyObject *args)
{
    PyObject *object = PyTuple_GetItem(args, 0);
    PyObject *name = PyTuple_Size(args) > 1 ? PyTuple_GetItem(args, 1) : NULL;

    if (state.data_type == NULL || !PyType_IsSubtype(Py_TYPE(object), state.data_type) ||
        name == NULL || !PyUnicode_Check(name) ||
        PyUnicode_CompareWithASCIIString(name, "__class__") != 0)
        return 0;
    return hook_judge(&class_row, NULL);
}

static int guard_types(PyObject *module)
{
    for (size_t i = 0; i < sizeof(guarded_types) / sizeof(guarded_types[0]); i++) {
        cleanup_py PyObject *type = PyObject_GetAttrString(module, guarded_types[i].name);
        void *original;

        if (type == NULL ||
            slot_patch(type, SLOT_NEW, (void *)guarded_types[i].function, &original) < 0)
            return -1;
        original_new[i] = (newfunc)original;
    }
    return 0;
}

static PyObject *refuse_global(const struct method_call *call, void *data)
{
    (void)data;
    return hook_judge(&global_row, NULL) < 0 ? NULL : method_call_next(call);
}

/* `c_long.in_dll(library, name)` is a variable of the interpreter itself, ready to be written. */
static int guard_globals(PyObject *module)
{
    static const char *const families[] = {"_SimpleCData", "Structure", "Union",
                                           "_Pointer",     "Array",     "CFuncPtr"};

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        cleanup_py PyObject *type = PyObject_GetAttrString(module, families[i]);
        cleanup_py PyObject *method = NULL;

        if (type == NULL)
            return -1;
        method = PyObject_GetAttrString((PyObject *)Py_TYPE(type), "in_dll");
        if (method == NULL || method_patch(method, refuse_global, NULL) != 0)
            return -1;
    }
    return 0;
}

int ctypes_guard_module(PyObject *module)
{
    if (state.module == module || !PyObject_HasAttrString(module, "CFuncPtr"))
        return 0;
    if (state.module != NULL) {
        PyErr_SetString(PyExc_ImportError, "safepyrun does not load a second copy of _ctypes");
        return -1;
    }
    state.module = py_own(module);
    if (guard_calls(module) == 0 && guard_simple(module) == 0 && guard_fields(module) == 0 &&
        guard_types(module) == 0 && guard_globals(module) == 0 && find_cast(module) == 0)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ImportError, "safepyrun cannot guard ctypes on this Python");
    return -1;
}
