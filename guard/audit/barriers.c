#include "guard/audit/barriers.h"

#include "guard/audit/class_parts.h"
#include "guard/audit/implicit_calls.h"
#include "guard/python/compat.h"

/* What is not loaded, or elsewhere in another version, is none. */
static const struct {
    const char *module;
    const char *name;
    const char *method; /* of the class `name`, or NULL */
    const char *inner;  /* the function that is made in there, or NULL */
} rows[] = {
    {"functools", "singledispatch", NULL, "wrapper"},
    {"functools", "singledispatchmethod", "__get__", "_method"},
    {"functools", "_singledispatchmethod_get", "__call__", NULL},
    {"weakref", "finalize", "__call__", NULL},
    {"weakref", "WeakMethod", "__new__", "_cb"},
    {"IPython.core.displayhook", "CapturingDisplayHook", "__call__", NULL},
    {"IPython.core.formatters", "DisplayFormatter", "format", NULL},
    {"IPython.core.display_functions", "display", NULL, NULL},
    {"IPython.core.display_functions", "publish_display_data", NULL, NULL},
    {"IPython.core.display_functions", "clear_output", NULL, NULL},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* All code of their files: a function of each. */
static const char *const files[][2] = {{"logging", "getLogger"}, {"copy", "copy"}};
#define FILE_COUNT (sizeof(files) / sizeof(files[0]))

static struct {
    PyObject *codes[ROW_COUNT]; /* NULL where there is none */
    PyObject *files[FILE_COUNT];
    PyObject *show; /* code of the display hook's __call__ */
} state;

/* New; NULL without an exception. */
static PyObject *code_of_method(PyObject *owner, const char *name)
{
    cleanup_py PyObject *function = owner != NULL && name != NULL ? PyObject_GetAttrString(owner, name) : py_own(owner);
    PyObject *code = function != NULL && class_is_function(function) ? py_own(compat.function_code(function)) : NULL;

    PyErr_Clear();
    return code;
}

/* The function of this name that is defined in the code. New; NULL without an exception. */
static PyObject *inner_code(PyObject *code, const char *name)
{
    cleanup_py PyObject *constants = PyObject_GetAttrString(code, "co_consts");

    for (Py_ssize_t i = 0; constants != NULL && i < PyTuple_Size(constants); i++) {
        PyObject *constant = PyTuple_GetItem(constants, i);
        cleanup_py PyObject *its_name =
            Py_TYPE(constant) == Py_TYPE(code) ? PyObject_GetAttrString(constant, "co_name") : NULL;

        if (its_name != NULL && PyUnicode_CompareWithASCIIString(its_name, name) == 0)
            return py_own(constant);
    }
    PyErr_Clear();
    return NULL;
}

static PyObject *code_of(size_t row)
{
    cleanup_py PyObject *name = PyUnicode_FromString(rows[row].module);
    cleanup_py PyObject *module = name != NULL ? PyImport_GetModule(name) : NULL;
    cleanup_py PyObject *owner = module != NULL ? PyObject_GetAttrString(module, rows[row].name) : NULL;
    cleanup_py PyObject *code = code_of_method(owner, rows[row].method);

    PyErr_Clear();
    return code != NULL && rows[row].inner != NULL ? inner_code(code, rows[row].inner) : steal(code);
}

static int remember_file(size_t i)
{
    cleanup_py PyObject *module = PyImport_ImportModule(files[i][0]);
    cleanup_py PyObject *code = code_of_method(module, files[i][1]);

    if (code == NULL || state.files[i] != NULL)
        return module != NULL ? 0 : -1;
    state.files[i] = PyObject_GetAttrString(code, "co_filename");
    return state.files[i] != NULL ? 0 : -1;
}

int barriers_remember(PyObject *display_hook)
{
    PyObject *show = code_of_method(display_hook != NULL ? (PyObject *)Py_TYPE(display_hook) : NULL, "__call__");

    if (show != NULL) {
        Py_XDECREF(state.show);
        state.show = show;
    }
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (state.codes[i] == NULL)
            state.codes[i] = code_of(i);
    for (size_t i = 0; i < FILE_COUNT; i++)
        if (remember_file(i) < 0)
            return -1;
    return 0;
}

static bool is_of_a_file(PyObject *code)
{
    cleanup_py PyObject *name = PyObject_GetAttrString(code, "co_filename");
    bool found = name == NULL || !PyUnicode_CheckExact(name);

    for (size_t i = 0; i < FILE_COUNT && !found; i++)
        found = state.files[i] != NULL && PyUnicode_Compare(name, state.files[i]) == 0;
    PyErr_Clear();
    return found;
}

bool barriers_include(const struct signal_handlers *handlers, PyObject *code)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (code == state.codes[i])
            return true;
    return code == state.show || implicit_calls_are_barrier(code) || signal_handlers_begin_with(handlers, code) || is_of_a_file(code);
}
