#include "guard/audit/caller.h"

#include "guard/audit/library_code.h"
#include "guard/python/compat.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/stack.h"

#include <string.h>

/* What a code object carries: one of these, and above it the number of the scope it was compiled under. */
enum mark {
    MARK_NONE,
    MARK_USER,
    MARK_MODULE,
    MARK_LIBRARY,
    MARK_READ, /* from a library's file, and not run yet: see library_code.h */
    MARK_HOST, /* nothing more is known than that it is in no library's file: the answer is kept */
};
enum { MARK_BITS = 4, MARK_MASK = (1 << MARK_BITS) - 1 };

/* Libraries that call native code while they run, not only while they are imported, and whose
   functions do not hand such calls on to whoever asks. Part of the path of their source file, which library_code keeps
   from being forged. */
static const char *const native_callers[] = {"-packages/threadpoolctl.py", NULL};
/* ctypes itself: the one who called it is meant. */
#define CTYPES_PACKAGE "/ctypes/"
/* Between a package and the native module that it is importing. */
#define IMPORT_SYSTEM "<frozen importlib"

static struct {
    Py_ssize_t extra_index;
    bool started;
    PyObject *run_module;   /* importlib: the code that runs a module's code */
    PyObject *exec_frozen;  /* importlib: … of a module that is built into the interpreter */
    PyObject *run_in_executor; /* asyncio's; NULL until it is loaded outside of a guard */
    PyTypeObject *code_type;
} state;

static _Thread_local struct {
    unsigned depth;
    enum caller as;
    PyFrameObject *frame; /* compared only, never used */
} host_work;

static PyObject *code_of(const char *module_name, const char *first, const char *second)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);
    cleanup_py PyObject *outer = module != NULL ? PyObject_GetAttrString(module, first) : NULL;
    cleanup_py PyObject *function = NULL;

    if (outer == NULL)
        return NULL;
    function = second != NULL ? PyObject_GetAttrString(outer, second) : py_own(outer);
    return function != NULL ? PyObject_GetAttrString(function, "__code__") : NULL;
}

static unsigned number_of(const void *extra)
{
    return (unsigned)((uintptr_t)extra >> MARK_BITS);
}

static void release_extra(void *extra)
{
    if (number_of(extra) != 0)
        scope_drop_mark(number_of(extra));
}

static void *extra_of(PyObject *code)
{
    void *extra = NULL;

    if (compat.code_get_extra(code, state.extra_index, &extra) < 0) {
        PyErr_Clear(); /* not a code object: somebody called sys.audit("exec", …) */
        return NULL;
    }
    return extra;
}

static enum mark mark_of(PyObject *code)
{
    return (enum mark)((uintptr_t)extra_of(code) & MARK_MASK);
}

/* Nothing is known about where it came from, but for the place that its file name says. */
static bool is_unmarked(enum mark mark)
{
    return mark == MARK_NONE || mark == MARK_LIBRARY || mark == MARK_READ || mark == MARK_HOST;
}

static void set_mark(PyObject *code, enum mark mark)
{
    if (compat.code_set_extra(code, state.extra_index, (void *)(uintptr_t)mark) < 0)
        PyErr_Clear();
}

static bool is_fresh(PyObject *code)
{
    enum mark mark = mark_of(code);

    return mark == MARK_READ || mark == MARK_USER;
}

/* Only code that is new: what a cell keeps and shows again stays what it is. */
static void mark_read(PyObject *code)
{
    if (mark_of(code) == MARK_NONE)
        set_mark(code, MARK_READ);
}

static void mark_library(PyObject *code)
{
    if (mark_of(code) == MARK_NONE)
        set_mark(code, MARK_LIBRARY);
}

static bool is_listed(const char *const *list, const char *file)
{
    for (size_t i = 0; list[i] != NULL; i++)
        if (strstr(file, list[i]) != NULL)
            return true;
    return false;
}

static bool name_counts(const char *file)
{
    return is_listed(native_callers, file);
}

static const struct library_code_owner library_code = {mark_read, mark_library, is_fresh, name_counts};

int caller_init(void)
{
    if (state.started)
        return 0;
    state.extra_index = compat.request_code_extra_index(release_extra);
    if (state.extra_index < 0) {
        PyErr_SetString(PyExc_RuntimeError, "no room for a mark in code objects");
        return -1;
    }
    state.run_module = code_of("_frozen_importlib", "_call_with_frames_removed", NULL);
    if (state.run_module == NULL)
        return -1;
    state.code_type = Py_TYPE(state.run_module);
    state.exec_frozen = code_of("_frozen_importlib", "FrozenImporter", "exec_module");
    if (state.exec_frozen == NULL)
        return -1;
    if (library_code_init(&library_code) < 0)
        return -1;
    state.started = true;
    return 0;
}

static int mark_one_user(struct scope *scope, PyObject *code)
{
    unsigned number = scope != NULL ? scope->number : 0;
    uintptr_t extra = (uintptr_t)number << MARK_BITS | MARK_USER;
    void *old = extra_of(code);

    /* The first scope keeps it: what was compiled under a strict one stays under it. */
    if (((uintptr_t)old & MARK_MASK) == MARK_USER)
        return 0;
    if (compat.code_set_extra(code, state.extra_index, (void *)extra) < 0)
        return -1;
    if (number != 0)
        scope_count_mark(scope);
    return 0;
}

int caller_mark_user(struct scope *scope, PyObject *code)
{
    cleanup_py PyObject *constants = PyObject_GetAttrString(code, "co_consts");

    if (constants == NULL || mark_one_user(scope, code) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PyTuple_Size(constants); i++) {
        PyObject *item = PyTuple_GetItem(constants, i);

        if (Py_TYPE(item) == Py_TYPE(code) && caller_mark_user(scope, item) < 0)
            return -1;
    }
    return 0;
}

/* What comes to life under the scope in force. */
static int mark_user_now(PyObject *code)
{
    return caller_mark_user((struct scope *)scope_current(), code);
}

bool caller_is_marked_user(PyObject *code)
{
    return mark_of(code) == MARK_USER;
}

/* A borrowed look at who runs now; NULL without a frame. The frame keeps its code alive. */
static PyObject *innermost_code(void)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyObject *code;

    if (frame == NULL)
        return NULL;
    code = stack_code((PyObject *)frame);
    Py_DECREF(code);
    return code;
}

static bool is_host_work(void)
{
    return host_work.depth > 0 && PyEval_GetFrame() == host_work.frame;
}

/* What was begun first says whose it is. */
static void begin_work(enum caller as)
{
    if (host_work.depth++ > 0)
        return;
    host_work.as = as;
    host_work.frame = PyEval_GetFrame();
}

void caller_begin_host_work(void)
{
    begin_work(CALLER_HOST);
}

void caller_begin_compiling(void)
{
    begin_work(CALLER_LIBRARY);
}

void caller_end_host_work(void)
{
    host_work.depth--;
}

/* The file name in a code object, as it says; for code that is a library's by its mark. */
static bool file_name_of(PyObject *code, char *name, size_t size)
{
    cleanup_py PyObject *text = PyObject_GetAttrString(code, "co_filename");
    const char *utf8 = text != NULL ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;

    if (utf8 == NULL || strlen(utf8) >= size) {
        PyErr_Clear();
        return false;
    }
    memcpy(name, utf8, strlen(utf8) + 1);
    return true;
}

/* Where packages and the standard library are, by the name in the code: such code is made outside of a
   guard only. The answer is kept in the code object. */
static bool is_library_file(const struct policy *policy, PyObject *code)
{
    char file[PATH_MAX];

    if (!file_name_of(code, file, sizeof(file)))
        return false;
    if (strncmp(file, "<frozen ", 8) == 0)
        return true;
    for (size_t i = 0; i < policy->read_only.count; i++) {
        const char *folder = policy->read_only.items[i];
        size_t size = strlen(folder);

        if (strncmp(file, folder, size) == 0 && file[size] == '/')
            return true;
    }
    return false;
}

/* Is this code judged as the user's? In the scope of mk_audit() that is all but libraries. */
static bool is_user(const struct scope *scope, PyObject *code, enum mark mark)
{
    if (mark == MARK_USER)
        return true;
    if ((mark != MARK_NONE && mark != MARK_HOST) || scope == NULL || !scope->judges_host_code)
        return false;
    if (mark == MARK_HOST)
        return true;
    mark = is_library_file(scope->policy, code) ? MARK_LIBRARY : MARK_HOST;
    set_mark(code, mark);
    return mark == MARK_HOST;
}

bool caller_is_user(const struct scope *scope, PyObject *code)
{
    return is_user(scope, code, mark_of(code));
}

bool caller_is_settled(PyObject *code, bool *ret_is_library)
{
    enum mark mark = mark_of(code);

    *ret_is_library = mark != MARK_USER && mark != MARK_HOST;
    return mark != MARK_NONE;
}

static enum caller of_nobody(void)
{
    return stack_end_is_certain() ? CALLER_LIBRARY : CALLER_USER;
}

enum caller caller_innermost(const struct scope *scope)
{
    PyObject *code = innermost_code();

    if (is_host_work())
        return host_work.as;
    if (code == NULL) /* a thread or a callback whose function is built in */
        return of_nobody();
    return is_user(scope, code, mark_of(code)) ? CALLER_USER : CALLER_LIBRARY;
}

bool caller_is_hosts_own(const struct scope *scope)
{
    PyObject *code = scope->judges_host_code ? innermost_code() : NULL;
    enum mark mark = code != NULL ? mark_of(code) : MARK_USER;

    return mark != MARK_USER && is_user(scope, code, mark);
}

const struct scope *caller_scope_on_stack(void)
{
    cleanup_py PyObject *frame = stack_innermost();

    if (is_host_work())
        return NULL;
    while (frame != NULL) {
        cleanup_py PyObject *code = stack_code(frame);
        void *extra = extra_of(code);

        if (number_of(extra) != 0)
            return scope_by_number(number_of(extra));
        stack_step_out(&frame);
    }
    return NULL;
}

void caller_find_executor(void)
{
    PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "asyncio.base_events");
    cleanup_py PyObject *loop = NULL;
    cleanup_py PyObject *function = NULL;

    if (state.run_in_executor != NULL || module == NULL)
        return;
    loop = PyObject_GetAttrString(module, "BaseEventLoop");
    function = loop != NULL ? PyObject_GetAttrString(loop, "run_in_executor") : NULL;
    state.run_in_executor =
        function != NULL ? PyObject_GetAttrString(function, "__code__") : NULL;
    PyErr_Clear(); /* another asyncio: then no thread is its executor's */
}

bool caller_is_asyncio_executor(const struct scope *scope)
{
    cleanup_py PyObject *frame = stack_innermost();

    while (frame != NULL && state.run_in_executor != NULL) {
        cleanup_py PyObject *code = stack_code(frame);

        if (code == state.run_in_executor)
            return true;
        if (is_user(scope, code, mark_of(code)))
            return false;
        stack_step_out(&frame);
    }
    return false;
}

bool caller_is_import_system(PyObject *code)
{
    return code == state.run_module;
}

enum caller caller_on_stack(const struct scope *scope, bool *ret_deputy_is_known)
{
    cleanup_py PyObject *frame = stack_innermost();
    bool innermost = true; /* nothing but ctypes so far */
    bool at_bottom = true; /* the very first frame */
    char file[PATH_MAX];

    *ret_deputy_is_known = false;
    if (is_host_work())
        return host_work.as;
    while (frame != NULL) {
        cleanup_py PyObject *code = stack_code(frame);
        enum mark mark = mark_of(code);

        if (is_user(scope, code, mark))
            return at_bottom || innermost ? CALLER_USER : CALLER_DEPUTY;
        if (innermost && file_name_of(code, file, sizeof(file)) &&
            strstr(file, CTYPES_PACKAGE) == NULL &&
            strncmp(file, IMPORT_SYSTEM, strlen(IMPORT_SYSTEM)) != 0) {
            innermost = false;
            *ret_deputy_is_known = is_listed(native_callers, file);
        }
        if (mark == MARK_MODULE) {
            *ret_deputy_is_known = false;
            return CALLER_IMPORT;
        }
        at_bottom = false;
        stack_step_out(&frame);
    }
    return of_nobody();
}

/* ---- code that comes alive ------------------------------------------------------------------- */

/* Nothing but the import system makes code of a library's run as one. What is made from text or data may be the
   user's, also where no user code is on the stack: a thread, an atexit handler or a callback of the event loop can
   be exec() itself, and so can what a module calls while it is imported. What cannot be marked does not run. */
static int mark_new_code(PyObject *code)
{
    if (code == NULL || Py_TYPE(code) != state.code_type || !is_unmarked(mark_of(code)))
        return 0;
    return mark_user_now(code);
}

static bool import_system_runs(void)
{
    PyObject *code = innermost_code();

    return code == state.run_module || code == state.exec_frozen;
}

int caller_note_exec(PyObject *args)
{
    PyObject *code = PyTuple_GetItem(args, 0);

    if (Py_TYPE(code) == state.code_type && mark_of(code) == MARK_READ && import_system_runs())
        set_mark(code, MARK_MODULE);
    else
        return mark_new_code(code);
    return 0;
}
