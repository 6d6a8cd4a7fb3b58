#include "guard/audit/surroundings.h"

#include "guard/audit/barred_callbacks.h"
#include "guard/audit/barriers.h"
#include "guard/audit/caller.h"
#include "guard/audit/carrier_kinds.h"
#include "guard/audit/carriers.h"
#include "guard/audit/class_changes.h"
#include "guard/audit/class_parts.h"
#include "guard/audit/finalizers.h"
#include "guard/audit/hook.h"
#include "guard/audit/implicit_calls.h"
#include "guard/audit/slot_patch.h"
#include "guard/audit/unchanged.h"
#include "guard/python/compat.h"
#include "guard/python/method_patch.h"
#include "guard/python/stack.h"

#include <stdio.h>
#include <string.h>

/* Attributes of sys that are called, or asked for a method, when something is printed or fails. */
static const char *const names[] = {"stdout",  "stderr",         "stdin",      "displayhook",
                                    "excepthook", "unraisablehook", "breakpointhook", NULL};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]) - 1)
enum { DISPLAYHOOK = 3 }; /* those before it are files: print() asks the very object for its methods */

static struct {
    bool started;
    struct unchanged_object before[NAME_COUNT];
    struct unchanged_class capture;  /* IPython's display hook of %%capture */
    PyObject *collector_callbacks; /* gc.callbacks */
    PyObject *signal;              /* code of signal.signal */
    newfunc new_class;
    newfunc new_reference;
    setattrofunc set_class_attribute;
} state;

static const struct event_row row = {.name = "safepyrun.callback",
                                     .check = check_callback,
                                     .arguments = STACK,
                                     .words = "have a built-in function called at any time"};

static const struct event_row row_of_anyone = {.name = "safepyrun.callback",
                                               .check = check_callback_of_anyone,
                                               .arguments = NOTHING,
                                               .words = "have a built-in function called at any time"};

/* Nothing runs for it without a frame that shows whose it is. */
static bool is_code_of_its_own(PyObject *callable)
{
    return callable == NULL || callable == Py_None || !carriers_are_behind(callable);
}

/* 0, or -1 with PermissionError: user code is on the stack and the object is no code of its own. */
static int judge(PyObject *callable)
{
    return is_code_of_its_own(callable) ? 0 : hook_judge(&row, NULL);
}

/* Where no library has a reason to: a thread of a pool does what a cell has handed it, and no code of the cell's is to be seen. */
static int judge_anyone(PyObject *callable)
{
    return is_code_of_its_own(callable) ? 0 : hook_judge(&row_of_anyone, NULL);
}

/* Is it a cell that calls, and no library on its behalf? asyncio puts a functools.partial of its own into
   signal.signal(), which is a function in Python: its frame is passed over. */
static bool cell_calls(void)
{
    const struct scope *scope = scope_current();
    cleanup_py PyObject *frame = stack_innermost();

    while (scope != NULL && frame != NULL) {
        cleanup_py PyObject *code = stack_code(frame);

        if (code != state.signal)
            return caller_is_user(scope, code);
        stack_step_out(&frame);
    }
    return false;
}

/* The same for what libraries do for themselves as well. */
static int judge_direct(PyObject *callable)
{
    if (callable == NULL || signal_handlers_are_ours(callable) || !cell_calls())
        return 0;
    return judge(callable);
}

/* ---- places --------------------------------------------------------------------------------- */

/* weakref.ref(object, callback), and what derives from it. */
static PyObject *new_reference(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    cleanup_py PyObject *barred = NULL;

    if (PyTuple_Size(args) < 2 || PyTuple_GetItem(args, 1) == Py_None || carrier_cell_wrote(PyTuple_GetItem(args, 1)))
        return state.new_reference(type, args, keywords);
    if (judge_direct(PyTuple_GetItem(args, 1)) < 0)
        return NULL;
    barred = barred_callback_of_reference(args);
    return barred != NULL ? state.new_reference(type, barred, keywords) : NULL;
}

/* signal.signal(number, handler) */
static PyObject *signal_handler(const struct method_call *call, void *data)
{
    (void)data;
    if (judge_direct(method_call_argument(call, 1, "handler")) < 0)
        return NULL;
    return method_call_next(call);
}

/* os.register_at_fork(before=…, after_in_child=…, after_in_parent=…) */
static PyObject *fork_callbacks(const struct method_call *call, void *data)
{
    Py_ssize_t count = call->positional + (call->kwnames != NULL ? PyTuple_Size(call->kwnames) : 0);
    cleanup_py PyObject *barred = PyList_New(0); /* keeps them */
    cleanup_free PyObject **args = xcalloc((size_t)count + 1, sizeof(PyObject *));
    struct method_call changed = *call;

    (void)data;
    for (Py_ssize_t i = 0; barred != NULL && i < count; i++) {
        bool is_barred = PyCallable_Check(call->args[i]) && !carrier_cell_wrote(call->args[i]);
        cleanup_py PyObject *callback = is_barred ? barred_callback(call->args[i]) : py_own(call->args[i]);

        if (callback == NULL || PyList_Append(barred, callback) < 0)
            return NULL;
        args[i] = callback;
    }
    changed.args = args;
    return barred != NULL ? method_call_next(&changed) : NULL;
}

/* codecs.register(search) · codecs.register_error(name, handler) · weakref.proxy(object, callback) */
static PyObject *callbacks_from(const struct method_call *call, void *first)
{
    for (Py_ssize_t i = *(const Py_ssize_t *)first; i < call->positional; i++)
        if (judge_anyone(call->args[i]) < 0)
            return NULL;
    return method_call_next(call);
}

/* codecs.unregister(): without the search that Python begins with, a cell's would be asked for every encoding. */
static PyObject *no_argument(const struct method_call *call, void *data)
{
    (void)data;
    return hook_judge(&row_of_anyone, NULL) < 0 ? NULL : method_call_next(call);
}

static PyObject *new_class(PyTypeObject *meta, PyObject *args, PyObject *keywords)
{
    cleanup_py PyObject *type = state.new_class(meta, args, keywords);

    return type != NULL && finalizers_see(type) == 0 ? steal(type) : NULL;
}

/* What moves slots. A name of a class of the cell's can turn into any other. */
static bool may_be_finalizer(PyObject *name)
{
    static const char *const moving[] = {"__del__", "__release_buffer__", "__bases__"};
    bool found = !PyUnicode_CheckExact(name);

    for (size_t i = 0; !found && i < sizeof(moving) / sizeof(moving[0]); i++)
        found = PyUnicode_CompareWithASCIIString(name, moving[i]) == 0;
    return found;
}

static int set_class_attribute(PyObject *type, PyObject *name, PyObject *value)
{
    class_changes_note(type, name, value);
    if (state.set_class_attribute(type, name, value) < 0)
        return -1;
    return may_be_finalizer(name) ? finalizers_see(type) : 0;
}

static int patch_slot(PyObject *type, enum slot_patch_place place, void *function, void *ret_original)
{
    void *original = NULL;

    if (slot_patch(type, place, function, &original) < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot guard finalizers on this Python");
        return -1;
    }
    memcpy(ret_original, &original, sizeof(original));
    return 0;
}

static int patch_methods(void)
{
    static Py_ssize_t zero = 0;
    static Py_ssize_t one = 1;
    static const struct {
        const char *module;
        const char *name;
        method_patch_function function;
        void *data;
    } methods[] = {{"_signal", "signal", signal_handler, NULL},
                   {"_weakref", "proxy", callbacks_from, &one},
                   {"_codecs", "register_error", callbacks_from, &one},
                   {"_codecs", "register", callbacks_from, &zero},
                   {"_codecs", "unregister", no_argument, NULL},
                   {"posix", "register_at_fork", fork_callbacks, NULL}};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        cleanup_py PyObject *module = PyImport_ImportModule(methods[i].module);

        if (module == NULL || method_patch_attribute(module, methods[i].name, methods[i].function, methods[i].data) < 0)
            return -1;
    }
    return 0;
}

static int patch_places(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_weakref");
    cleanup_py PyObject *reference =
        module != NULL ? PyObject_GetAttrString(module, "ReferenceType") : NULL;

    if (reference == NULL ||
        patch_slot(reference, SLOT_NEW, (void *)new_reference, &state.new_reference) < 0 ||
        patch_slot((PyObject *)&PyType_Type, SLOT_NEW, (void *)new_class, &state.new_class) < 0 ||
        patch_slot((PyObject *)&PyType_Type, SLOT_SETATTRO, (void *)set_class_attribute,
                   &state.set_class_attribute) < 0)
        return -1;
    return patch_methods();
}

/* ---- how it was ----------------------------------------------------------------------------- */

static PyObject *code_of(const char *module_name, const char *name)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);
    cleanup_py PyObject *function = module != NULL ? PyObject_GetAttrString(module, name) : NULL;

    return function != NULL ? py_own(compat.function_code(function)) : NULL;
}

static int remember(void)
{
    cleanup_py PyObject *gc = PyImport_ImportModule("gc");

    state.signal = code_of("signal", "signal");
    if (gc == NULL || state.signal == NULL)
        return -1;
    if (signal_handlers_remember() < 0)
        return -1;
    state.collector_callbacks = PyObject_GetAttrString(gc, "callbacks");
    return state.collector_callbacks != NULL ? 0 : -1;
}

/* What a host puts there later, between two cells, is its own. What stays is compared with how it was at first. */
static int remember_sys(void)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        PyObject *now = PySys_GetObject(names[i]);

        if (now != NULL && now != state.before[i].object && unchanged_remember(&state.before[i], now) < 0)
            return -1;
    }
    return 0;
}

static int remember_capture(void)
{
    cleanup_py PyObject *name = PyUnicode_FromString("IPython.core.displayhook");
    cleanup_py PyObject *module = name != NULL ? PyImport_GetModule(name) : NULL;
    cleanup_py PyObject *type =
        module != NULL ? PyObject_GetAttrString(module, "CapturingDisplayHook") : NULL;

    if (type == NULL || !PyType_Check(type) || state.capture.type != NULL)
        return PyErr_Occurred() ? -1 : 0;
    return unchanged_remember_class(&state.capture, (PyTypeObject *)type);
}

int surroundings_freeze(void)
{
    if (remember_sys() < 0 || remember_capture() < 0 || barriers_remember(state.before[DISPLAYHOOK].object) < 0)
        return -1;
    if (state.started)
        return 0;
    state.started = true;
    return remember() < 0 || implicit_calls_remember() < 0 || patch_places() < 0 ? -1 : finalizers_start(class_changes_watch);
}

static bool callbacks_hold(void)
{
    if (!PyList_CheckExact(state.collector_callbacks))
        return false;
    for (Py_ssize_t i = 0; i < PyList_Size(state.collector_callbacks); i++)
        if (carriers_are_behind(PyList_GetItem(state.collector_callbacks, i)))
            return false;
    return true;
}

/* %%capture puts a display hook of IPython's own there for a moment. All that it calls is below its code, which is
   a barrier. */
static bool is_capture(size_t place, PyObject *now)
{
    return place == DISPLAYHOOK && state.capture.type != NULL &&
           unchanged_class_holds(&state.capture, Py_TYPE(now));
}

static bool sys_holds(size_t place, PyObject *now)
{
    char found[CARRIER_NAME];

    if (now == state.before[place].object)
        return place < DISPLAYHOOK
                   ? unchanged_holds(&state.before[place])
                   : unchanged_class_holds(&state.before[place].class, Py_TYPE(now));
    return is_capture(place, now) || !carriers_are_in(now, found);
}

bool surroundings_hold(const struct signal_handlers *handlers, char ret_changed[SURROUNDINGS_NAME])
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        PyObject *now = PySys_GetObject(names[i]);

        if (now == NULL || sys_holds(i, now))
            continue;
        snprintf(ret_changed, SURROUNDINGS_NAME, "sys.%s", names[i]);
        return false;
    }
    if (!signal_handlers_hold(handlers)) {
        snprintf(ret_changed, SURROUNDINGS_NAME, "a signal handler");
        return false;
    }
    if (callbacks_hold())
        return implicit_calls_hold(ret_changed, SURROUNDINGS_NAME) && class_changes_hold(ret_changed, SURROUNDINGS_NAME);
    snprintf(ret_changed, SURROUNDINGS_NAME, "gc.callbacks");
    return false;
}

bool surroundings_are_barrier(const struct signal_handlers *handlers, PyObject *code)
{
    return state.started && barriers_include(handlers, code);
}
