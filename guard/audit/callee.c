#include "guard/audit/callee.h"

#include "guard/audit/native_code.h"
#include "guard/audit/native_module.h"
#include "guard/audit/plain.h"

#include <string.h>

enum { KNOWN_SIZE = 4096, KNOWN_MAX = 3072 };

static struct {
    const void *known[KNOWN_SIZE]; /* addresses of code of the standard library */
    unsigned known_count;
} state;

struct row {
    const char *module;
    const char *name;
    const char *caller;
    bool is_refused;
};

#define REFUSED(module, name)          {module, name, NULL, true},
#define HARMLESS(module, name, caller) {module, name, caller, false},
static const struct row rows[] = {
#include "guard/audit/native_rows.def"
};
#undef REFUSED
#undef HARMLESS
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

int callee_start(void)
{
    return native_code_start();
}

/* ---- what is known -------------------------------------------------------------------------- */

static unsigned place_of(const void *address)
{
    return (unsigned)(((uintptr_t)address >> 4) * 2654435761u) % KNOWN_SIZE;
}

static bool is_remembered(const void *address)
{
    for (unsigned at = place_of(address); state.known[at] != NULL; at = (at + 1) % KNOWN_SIZE)
        if (state.known[at] == address)
            return true;
    return false;
}

static void remember(const void *address)
{
    unsigned at = place_of(address);

    if (state.known_count >= KNOWN_MAX)
        return;
    while (state.known[at] != NULL && state.known[at] != address)
        at = (at + 1) % KNOWN_SIZE;
    state.known_count += state.known[at] == NULL;
    state.known[at] = address;
}

/* A definition stands for the function that it names. */
static unsigned responsible(const struct native_code *code)
{
    return code->has_definition ? 1 : code->count;
}

static bool is_known(const struct native_code *code)
{
    if (code->is_hidden)
        return false;
    for (unsigned i = 0; i < responsible(code); i++)
        if (!is_remembered(code->addresses[i]))
            return false;
    return true;
}

static bool is_known_behind(PyObject *callable)
{
    cleanup_py PyObject *behind = native_code_behind(callable);
    struct native_code code;

    return !native_code_of(behind, &code) || is_known(&code);
}

bool callee_is_known(PyObject *callable)
{
    const PyMethodDef *definition = native_code_at_once(callable);

    return definition != NULL ? is_remembered(definition) : is_known_behind(callable);
}

/* ---- modules -------------------------------------------------------------------------------- */

/* Is it `prefix`, or below it? Most differ in their first letter: faster than strncmp(). */
static bool is_below(const char *name, const char *prefix)
{
    size_t at = 0;

    while (prefix[at] != '\0' && name[at] == prefix[at])
        at++;
    return prefix[at] == '\0' && (name[at] == '.' || name[at] == '\0');
}

static const struct native_module *module_at(const struct scope *scope, const void *address)
{
    return native_module_of(address, &scope->policy->read_only);
}

/* A compiled Cython function is where its definition is; where its type is says nothing. */
static void find_cython(const struct scope *scope, PyObject *callable, struct native_code *code)
{
    const PyMethodDef *definition =
        code->is_object ? native_code_maybe_definition(callable) : NULL;
    const struct native_module *module = definition != NULL ? module_at(scope, definition) : NULL;

    if (module == NULL || module->kind == NATIVE_STANDARD || module->kind == NATIVE_OWN ||
        !native_module_holds(module, definition->ml_name) ||
        !native_module_holds(module, (const void *)(uintptr_t)definition->ml_meth))
        return;
    code->name = definition->ml_name;
    code->type_name = NULL;
    code->has_definition = true;
    code->addresses[0] = definition;
}

/* Where the definition was made at run time (pybind11), the function says whose it is. */
static const struct native_module *module_behind(const struct scope *scope,
                                                 const struct native_code *code, unsigned index)
{
    const struct native_module *module = module_at(scope, code->addresses[index]);

    return module == NULL && code->has_definition && code->count > 1
               ? module_at(scope, code->addresses[1])
               : module;
}

static const char *last_part(const char *name)
{
    const char *dot = name != NULL ? strrchr(name, '.') : NULL;

    return dot != NULL ? dot + 1 : name;
}

static bool is_named(const struct native_code *code, const char *name)
{
    const char *type = last_part(code->type_name);

    return (code->name != NULL && strcmp(code->name, name) == 0) ||
           (type != NULL && strcmp(type, name) == 0);
}

/* The file name in the code of a library, which nothing but that file has made. Borrowed from `ret_text`. */
static const char *file_of(PyObject *code, PyObject **ret_text)
{
    const char *file;

    *ret_text = PyObject_GetAttrString(code, "co_filename");
    file = *ret_text != NULL ? PyUnicode_AsUTF8AndSize(*ret_text, NULL) : NULL;
    PyErr_Clear();
    return file;
}

static bool is_in_folder(PyObject *code, const char *folder)
{
    cleanup_py PyObject *text = NULL;
    const char *file = file_of(code, &text);
    size_t size = strlen(folder);

    return file != NULL && size > 0 && strncmp(file, folder, size) == 0 && file[size] == '/';
}

/* Of "pandas", or of "pyarrow.compute" alone? */
static bool is_code_of(const struct scope *scope, PyObject *code, const char *package)
{
    cleanup_py PyObject *text = NULL;
    const char *file = file_of(code, &text);

    for (size_t i = 0; file != NULL && i < scope->policy->read_only.count; i++) {
        const char *folder = scope->policy->read_only.items[i];
        size_t size = strlen(folder);
        size_t at = 0;

        if (strncmp(file, folder, size) != 0 || file[size] != '/')
            continue;
        while (package[at] != '\0' && (file[size + 1 + at] == package[at] ||
                                       (file[size + 1 + at] == '/' && package[at] == '.')))
            at++;
        if (package[at] == '\0' && (file[size + 1 + at] == '/' || file[size + 1 + at] == '.'))
            return true;
    }
    return false;
}

static enum callee ask_package(const struct scope *scope, const struct native_code *code,
                               const char *module, PyObject *caller)
{
    enum callee answer = CALLEE_OTHER;

    for (size_t i = 0; i < scope->safe_native.count; i++)
        if (is_below(module, scope->safe_native.items[i]))
            answer = CALLEE_LISTED;
    for (unsigned i = 0; i < ROW_COUNT; i++) {
        const struct row *row = &rows[i];

        if (!is_below(module, row->module) || (row->name != NULL && !is_named(code, row->name)))
            continue;
        if (row->is_refused)
            return CALLEE_REFUSED;
        if (row->caller == NULL || (caller != NULL && is_code_of(scope, caller, row->caller)))
            answer = CALLEE_LISTED;
    }
    return answer;
}

static enum callee ask_module(const struct scope *scope, const struct native_code *code,
                              const struct native_module *module, PyObject *caller)
{
    if (module == NULL || module->kind == NATIVE_FOREIGN)
        return CALLEE_OTHER;
    if (module->kind == NATIVE_PACKAGE)
        return ask_package(scope, code, module->name, caller);
    if (module->kind == NATIVE_STANDARD)
        return CALLEE_STANDARD;
    /* The guard's own types, and its Python face, refuse by themselves what is not for guarded code. */
    if (code->is_function && (caller == NULL || !is_in_folder(caller, module->name)))
        return CALLEE_OTHER;
    return code->is_function ? CALLEE_LISTED : CALLEE_STANDARD;
}

enum callee callee_ask(const struct scope *scope, PyObject *callable, PyObject *caller)
{
    cleanup_py PyObject *behind = native_code_behind(callable);
    struct native_code code;
    enum callee worst = CALLEE_STANDARD;

    if (!native_code_of(behind, &code))
        return CALLEE_PYTHON;
    if (code.is_hidden)
        return CALLEE_OTHER;
    find_cython(scope, behind, &code);
    for (unsigned i = 0; i < responsible(&code); i++) {
        enum callee found = ask_module(scope, &code, module_behind(scope, &code, i), caller);

        worst = found > worst ? found : worst;
    }
    for (unsigned i = 0; worst == CALLEE_STANDARD && i < responsible(&code); i++)
        remember(code.addresses[i]);
    return worst;
}

/* ---- names ---------------------------------------------------------------------------------- */

static PyObject *text_of(PyObject *object, const char *name)
{
    PyObject *text = PyObject_GetAttrString(object, name);

    if (text != NULL && PyUnicode_CheckExact(text))
        return text;
    PyErr_Clear(); /* it has none, or something else under this name */
    Py_XDECREF(text);
    return NULL;
}

/* The module of the class that a method comes from: NotebookNode.get is dict.get. */
static PyObject *module_of_method(PyObject *self, const char *name)
{
    cleanup_py PyObject *order =
        native_code_tells((PyObject *)Py_TYPE(self))
            ? PyObject_GetAttrString((PyObject *)Py_TYPE(self), "__mro__")
            : NULL;

    for (Py_ssize_t i = 0; order != NULL && PyTuple_Check(order) && i < PyTuple_Size(order); i++) {
        PyObject *type = PyTuple_GetItem(order, i);
        cleanup_py PyObject *members =
            native_code_tells(type) ? PyObject_GetAttrString(type, "__dict__") : NULL;
        cleanup_py PyObject *found =
            members != NULL ? PyMapping_GetItemString(members, name) : NULL;

        PyErr_Clear();
        if (found != NULL)
            return text_of(type, "__module__");
    }
    PyErr_Clear();
    return NULL;
}

static PyObject *claimed_module(PyObject *callable, const char *name)
{
    PyObject *module = NULL;
    cleanup_py PyObject *owner = NULL;

    if (!native_code_tells(callable))
        return NULL;
    module = text_of(callable, "__module__");
    if (module != NULL)
        return module;
    owner = PyObject_GetAttrString(callable, "__objclass__");
    if (owner == NULL) {
        PyErr_Clear();
        owner = PyObject_GetAttrString(callable, "__self__");
        if (owner != NULL && owner != Py_None && !PyModule_Check(owner))
            return module_of_method(owner, name);
        PyErr_Clear();
        return text_of((PyObject *)Py_TYPE(callable), "__module__");
    }
    return text_of(owner, "__module__");
}

/* Packages show their functions under shorter names ("numpy" for numpy._core._multiarray_umath), never under those
   of another package. */
static bool is_plausible(const char *claimed, const char *module)
{
    size_t top = strcspn(claimed, ".");

    return (strncmp(claimed, module, top) == 0 && strcspn(module, ".") == top) ||
           strcmp(claimed, last_part(module)) == 0;
}

static PyObject *module_name(const struct scope *scope, PyObject *callable,
                             const struct native_code *code, const char *name)
{
    const struct native_module *module =
        code->count > 0 ? module_behind(scope, code, responsible(code) - 1) : NULL;
    PyObject *claimed = claimed_module(callable, name);
    const char *text = claimed != NULL ? PyUnicode_AsUTF8AndSize(claimed, NULL) : NULL;

    PyErr_Clear();
    if (module == NULL || module->kind != NATIVE_PACKAGE ||
        (text != NULL && is_plausible(text, module->name)))
        return claimed;
    Py_XDECREF(claimed);
    return PyUnicode_FromString(module->name);
}

/* "Class.method", as it says, if it ends as the definition does. */
static PyObject *own_name(PyObject *callable, const struct native_code *code)
{
    bool tells = native_code_tells(callable);
    cleanup_py PyObject *name = tells ? text_of(callable, "__qualname__") : NULL;
    const char *text;

    if (!tells && code->name == NULL && code->type_name != NULL)
        return PyUnicode_FromString(last_part(code->type_name));
    if (tells && name == NULL)
        name = text_of(callable, "__name__");
    text = name != NULL ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    PyErr_Clear();
    if (code->name != NULL && (text == NULL || strcmp(last_part(text), code->name) != 0))
        return PyUnicode_FromString(code->name);
    return text != NULL ? steal(name) : PyType_GetName(Py_TYPE(callable));
}

PyObject *callee_name(const struct scope *scope, PyObject *callable)
{
    cleanup_py PyObject *behind = native_code_behind(callable);
    struct native_code code;
    cleanup_py PyObject *name = NULL;
    cleanup_py PyObject *module = NULL;
    const char *text;

    if (native_code_of(behind, &code))
        find_cython(scope, behind, &code);
    name = own_name(behind, &code);
    text = name != NULL ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    if (text == NULL)
        return NULL;
    module = module_name(scope, behind, &code, last_part(text));
    if (module == NULL)
        return PyErr_Occurred() ? NULL : steal(name);
    return PyUnicode_FromFormat("%U.%U", module, name);
}

PyObject *callee_for_host(PyObject *callable)
{
    PyObject *self = PyCFunction_Check(callable) ? PyCFunction_GetSelf(callable) : callable;

    if (self == NULL || PyModule_CheckExact(self))
        return py_own(callable);
    return plain_init() == 0 ? plain_copy(callable) : NULL;
}
