#include "guard/audit/ctypes_guard.h"

#include "guard/audit/hook.h"
#include "guard/audit/slot_patch.h"
#include "guard/python/method_patch.h"

#include <dlfcn.h>
#include <stdbool.h>

static ternaryfunc original_call;
static bool guarded;

static const struct event_row call_row = {.name = "ctypes.call",
                                          .check = check_native_call,
                                          .arguments = STACK_LIBRARY_AND_SYMBOL,
                                          .words = "call native code"};
static const struct event_row new_row = {.name = "ctypes.new",
                                         .check = check_native,
                                         .arguments = STACK,
                                         .words = "make a ctypes object"};
static const struct event_row global_row = {.name = "ctypes.in_dll",
                                            .check = check_never,
                                            .arguments = NOTHING,
                                            .words = "reach a variable of native code"};

static int judge(const struct event_row *row)
{
    struct facts_source source = {NULL, NULL, 0};

    return hook_judge(row, row->name, &source);
}

/* A ctypes object begins with a pointer to its memory; that of a function holds the address. */
struct ctypes_object {
    PyObject_HEAD void **memory;
};

/* Which library the address lies in, and the symbol there; None where the loader knows neither. */
static PyObject *text_or_none(const char *text)
{
    return text != NULL ? PyUnicode_DecodeFSDefault(text) : py_own(Py_None);
}

static int judge_target(PyObject *function)
{
    const void *address = *((struct ctypes_object *)function)->memory;
    Dl_info about = {NULL, NULL, NULL, NULL};
    bool is_exact = dladdr(address, &about) != 0 && about.dli_saddr == address;
    cleanup_py PyObject *library = text_or_none(about.dli_fname);
    cleanup_py PyObject *symbol = text_or_none(is_exact ? about.dli_sname : NULL);
    PyObject *items[] = {library, symbol};
    struct facts_source source = {items, NULL, 2};

    if (library == NULL || symbol == NULL)
        return -1;
    return hook_judge(&call_row, call_row.name, &source);
}

static PyObject *guarded_call(PyObject *function, PyObject *args, PyObject *keywords)
{
    if (scope_current() != NULL && judge_target(function) < 0)
        return NULL;
    return original_call(function, args, keywords);
}

/* The types whose objects reach memory, each with the function that makes them. */
#define GUARDED_TYPES(DO) DO(0, "Structure") DO(1, "Union") DO(2, "_Pointer") DO(3, "Array")
static newfunc original_new[4];

#define DEFINE_NEW(n, name)                                                                        \
    static PyObject *guarded_new_##n(PyTypeObject *type, PyObject *args, PyObject *keywords)       \
    {                                                                                              \
        return judge(&new_row) < 0 ? NULL : original_new[n](type, args, keywords);                 \
    }
GUARDED_TYPES(DEFINE_NEW)

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
    original_call = (ternaryfunc)original;
    return 0;
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
    return judge(&global_row) < 0 ? NULL : method_call_next(call);
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
    if (guarded || !PyObject_HasAttrString(module, "CFuncPtr"))
        return 0;
    guarded = true;
    if (guard_calls(module) == 0 && guard_types(module) == 0 && guard_globals(module) == 0)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ImportError, "safepyrun cannot guard ctypes on this Python");
    return -1;
}
