#include "guard/audit/carry.h"

#include "guard/audit/carry_handlers.h"
#include "guard/audit/denials.h"
#include "guard/audit/scope.h"
#include "guard/audit/scoped.h"
#include "guard/audit/slot_patch.h"
#include "guard/python/compat.h"
#include "guard/python/method_patch.h"

#include <stdio.h>

static struct {
    PyObject *worker;       /* code of concurrent.futures.thread._worker */
    PyTypeObject *finalize; /* weakref.finalize */
    PyObject *at_exit;      /* atexit.register */
    newfunc new_context;
    newfunc new_reference;
    bool started;
} state;

/* The entry for what is made now, new; NULL (no exception) where nothing is in force. */
static PyObject *current_capsule(void)
{
    const struct scope *scope = scope_current();
    PyObject *capsule;

    if (scope == NULL || scope->is_process)
        return NULL;
    capsule = scope_capsule_of(NULL);
    if (scope_entry_of(capsule) != NULL)
        return capsule;
    Py_XDECREF(capsule);
    return scope_entry_new((struct scope *)scope); /* user code in a context of nobody */
}

PyObject *carry_callable(PyObject *callable)
{
    PyObject *capsule = callable != Py_None ? current_capsule() : NULL;

    if (capsule == NULL)
        return PyErr_Occurred() ? NULL : py_own(callable);
    return scoped_new(capsule, callable);
}

/* ---- contexts ------------------------------------------------------------------------------- */

static int put_into(PyObject *context, PyObject *capsule)
{
    cleanup_py PyObject *token = NULL;

    if (compat.context_enter(context) < 0)
        return -1;
    if (scope_set(capsule, &token) == 0)
        return compat.context_exit(context);
    compat.context_exit(context);
    return -1;
}

/* Context(): empty, but for the scope that it is made in. */
static PyObject *new_context(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    cleanup_py PyObject *context = state.new_context(type, args, keywords);
    cleanup_py PyObject *capsule = context != NULL ? current_capsule() : NULL;

    if (context == NULL || PyErr_Occurred() || (capsule != NULL && put_into(context, capsule) < 0))
        return NULL;
    return steal(context);
}

/* context.run(f): the scope of the one who asks holds in any context that it finds. */
static PyObject *run_in_context(const struct method_call *call, void *data)
{
    const struct scope *scope = scope_current();
    const struct scope_entry *entry;
    cleanup_py PyObject *capsule = NULL;
    cleanup_py PyObject *carried = NULL;

    (void)data;
    if (scope == NULL || call->positional == 0)
        return method_call_next(call);
    capsule = scope_capsule_of(call->self);
    entry = scope_entry_of(capsule);
    if (entry != NULL && entry->scope == scope)
        return method_call_next(call);
    carried = carry_callable(call->args[0]);
    return carried != NULL ? method_call_next_with(call, 0, carried) : NULL;
}

/* The variable that carries scopes belongs to the guard: it sets it by itself, not through this. */
static PyObject *keep_variable(const struct method_call *call, void *data)
{
    struct denial denial = {.rule = "interpreter ring", .remedy = "use a variable of your own"};

    (void)data;
    if (!scope_is_variable(call->self))
        return method_call_next(call);
    snprintf(denial.reason, sizeof(denial.reason), "this variable carries the guard");
    denials_raise("contextvars.ContextVar", "set a context variable", &denial);
    return NULL;
}

/* ---- later ---------------------------------------------------------------------------------- */

static PyObject *carry_argument(const struct method_call *call, Py_ssize_t index)
{
    cleanup_py PyObject *carried = NULL;

    if (scope_current() == NULL || call->positional <= index)
        return method_call_next(call);
    carried = carry_callable(call->args[index]);
    return carried != NULL ? method_call_next_with(call, index, carried) : NULL;
}

/* atexit.register(f, …) · weakref.proxy(object, callback): the place is in `data`. */
static PyObject *carry_callback(const struct method_call *call, void *data)
{
    return carry_argument(call, (Py_ssize_t)(intptr_t)data);
}

/* A weakref.finalize that was made under a guard, when the program ends. */
static PyObject *finish(PyObject *self, PyObject *unused)
{
    cleanup_py PyObject *wanted = PyObject_GetAttrString(self, "atexit");

    (void)unused;
    if (wanted == NULL)
        return NULL;
    return wanted == Py_True ? PyObject_CallNoArgs(self) : py_own(Py_None);
}

static PyMethodDef finish_method = {"finalize", finish, METH_NOARGS, NULL};

/* weakref runs those that are left from one function of its own, which the host may have registered
   long ago: ours comes before, because what is registered last is run first. */
static int finish_at_exit(PyObject *callback)
{
    cleanup_py PyObject *function = NULL;
    cleanup_py PyObject *registered = NULL;

    if (!PyObject_TypeCheck(callback, state.finalize))
        return 0;
    function = PyCFunction_NewEx(&finish_method, callback, NULL);
    if (function != NULL)
        registered = PyObject_CallFunctionObjArgs(state.at_exit, function, NULL);
    return registered != NULL ? 0 : -1;
}

/* weakref.ref(object, callback), and what derives from it. */
static PyObject *new_reference(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    cleanup_py PyObject *carried = NULL;
    cleanup_py PyObject *with_carried = NULL;

    if (PyTuple_Size(args) < 2 || PyTuple_GetItem(args, 1) == Py_None || scope_current() == NULL)
        return state.new_reference(type, args, keywords);
    if (finish_at_exit(PyTuple_GetItem(args, 1)) < 0)
        return NULL;
    carried = carry_callable(PyTuple_GetItem(args, 1));
    with_carried = carried != NULL ? PyTuple_New(PyTuple_Size(args)) : NULL;
    for (Py_ssize_t i = 0; with_carried != NULL && i < PyTuple_Size(args); i++)
        PyTuple_SetItem(with_carried, i, py_own(i == 1 ? carried : PyTuple_GetItem(args, i)));
    return with_carried != NULL ? state.new_reference(type, with_carried, keywords) : NULL;
}

/* ---- executors ------------------------------------------------------------------------------ */

/* An executor's queue is one like any other: who takes the item out decides what it sees. */
static PyObject *put(const struct method_call *call, void *data)
{
    PyObject *capsule;
    cleanup_py PyObject *item = NULL;

    (void)data;
    if (scope_current() == NULL)
        return method_call_next(call);
    if (call->positional == 0) { /* put(item=…): executors do not call it so */
        PyErr_SetString(PyExc_TypeError, "under a guard the item is given by position");
        return NULL;
    }
    capsule = call->args[0] != Py_None ? current_capsule() : NULL;
    if (capsule == NULL)
        return PyErr_Occurred() ? NULL : method_call_next(call);
    item = scoped_item_new(capsule, call->args[0]);
    return item != NULL ? method_call_next_with(call, 0, item) : NULL;
}

static bool is_worker(void)
{
    PyFrameObject *frame = PyEval_GetFrame();
    cleanup_py PyObject *code = frame != NULL ? (PyObject *)PyFrame_GetCode(frame) : NULL;

    return code != NULL && code == state.worker;
}

/* Before a cell can put another function into its place. */
static int find_worker(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("concurrent.futures.thread");
    cleanup_py PyObject *worker = module != NULL ? PyObject_GetAttrString(module, "_worker") : NULL;

    if (worker != NULL)
        state.worker = PyObject_GetAttrString(worker, "__code__");
    return state.worker != NULL ? 0 : -1;
}

/* An item of the program's own, in a thread that guarded code has started. */
static PyObject *free_item(PyObject *item)
{
    if (item == Py_None || scope_entry_current() == NULL || scoped_item_inner(item) != NULL)
        return py_own(item);
    return scoped_item_new(py_own(Py_None), item);
}

static PyObject *get(const struct method_call *call, void *data)
{
    cleanup_py PyObject *item = method_call_next(call);
    PyObject *inner;

    (void)data;
    if (item == NULL)
        return NULL;
    if (is_worker())
        return free_item(item);
    inner = scoped_item_inner(item);
    return py_own(inner != NULL ? inner : item);
}

/* One of asyncio's executor, or of a cell's that stands in for it: the thread goes on with anybody's items, but what runs in it
   besides (the first function of a pool, a changed Thread) is guarded as the one who started it. */
static PyObject *start_thread(const struct method_call *call, void *data)
{
    (void)data;
    if (scope_current() != NULL && (call->positional == 0 || !PyCallable_Check(call->args[0]))) {
        PyErr_SetString(PyExc_TypeError, "under a guard a thread's function is given by position");
        return NULL;
    }
    return carry_argument(call, 0);
}

/* ---- places --------------------------------------------------------------------------------- */

static int patch_new(PyObject *type, void *function, newfunc *ret_original)
{
    void *original;

    if (type == NULL)
        return -1;
    if (slot_patch(type, SLOT_NEW, function, &original) == 0) {
        *ret_original = (newfunc)original;
        return 0;
    }
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot guard contexts on this Python");
    return -1;
}

static int patch_contexts(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_contextvars");
    cleanup_py PyObject *context = NULL;
    cleanup_py PyObject *variable = NULL;

    if (module == NULL)
        return -1;
    context = PyObject_GetAttrString(module, "Context");
    variable = PyObject_GetAttrString(module, "ContextVar");
    if (context == NULL || variable == NULL ||
        method_patch_attribute(variable, "set", keep_variable, NULL) < 0 ||
        method_patch_attribute(variable, "reset", keep_variable, NULL) < 0 ||
        method_patch_attribute(context, "run", run_in_context, NULL) < 0)
        return -1;
    return patch_new(context, (void *)new_context, &state.new_context);
}

static int find_finalize(PyObject *atexit)
{
    cleanup_py PyObject *module = PyImport_ImportModule("weakref");

    state.at_exit = PyObject_GetAttrString(atexit, "register");
    if (module != NULL)
        state.finalize = (PyTypeObject *)PyObject_GetAttrString(module, "finalize");
    return state.finalize != NULL && state.at_exit != NULL ? 0 : -1;
}

static int patch_later(void)
{
    cleanup_py PyObject *atexit = PyImport_ImportModule("atexit");
    cleanup_py PyObject *weakref = PyImport_ImportModule("_weakref");
    cleanup_py PyObject *queue = PyImport_ImportModule("_queue");
    cleanup_py PyObject *reference = NULL;
    cleanup_py PyObject *simple = NULL;

    if (atexit == NULL || weakref == NULL || queue == NULL || find_finalize(atexit) < 0)
        return -1;
    reference = PyObject_GetAttrString(weakref, "ReferenceType");
    simple = PyObject_GetAttrString(queue, "SimpleQueue");
    if (reference == NULL || simple == NULL ||
        method_patch_attribute(atexit, "register", carry_callback, (void *)0) < 0 ||
        method_patch_attribute(weakref, "proxy", carry_callback, (void *)1) < 0 ||
        method_patch_attribute(simple, "put", put, NULL) < 0 ||
        method_patch_attribute(simple, "put_nowait", put, NULL) < 0 ||
        method_patch_attribute(simple, "get", get, NULL) < 0 ||
        method_patch_attribute(simple, "get_nowait", get, NULL) < 0)
        return -1;
    return patch_new(reference, (void *)new_reference, &state.new_reference);
}

static int patch_threads(void)
{
    static const char *const names[] = {"start_new_thread", "start_new", "start_joinable_thread"};
    cleanup_py PyObject *module = PyImport_ImportModule("_thread");

    for (size_t i = 0; module != NULL && i < sizeof(names) / sizeof(names[0]); i++)
        if (PyObject_HasAttrString(module, names[i]) && method_patch_attribute(module, names[i], start_thread, NULL) < 0)
            return -1;
    return module != NULL ? 0 : -1;
}

int carry_start(void)
{
    if (state.started)
        return 0;
    if (scoped_start() < 0 || find_worker() < 0 || patch_contexts() < 0 || patch_later() < 0 || patch_threads() < 0 ||
        carry_handlers_start() < 0)
        return -1;
    state.started = true;
    return 0;
}
