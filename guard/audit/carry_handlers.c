#include "guard/audit/carry_handlers.h"

#include "guard/audit/carry.h"
#include "guard/audit/class_parts.h"
#include "guard/audit/scope.h"
#include "guard/audit/scoped.h"
#include "guard/python/method_patch.h"

enum { HOOKS_MAX = 3 }; /* of os.register_at_fork() */

static PyObject *hosts_handlers; /* list: of signals, as cells found them */

/* ---- signals -------------------------------------------------------------------------------- */

static bool is_hosts(PyObject *handler)
{
    for (Py_ssize_t i = 0; i < PyList_Size(hosts_handlers); i++)
        if (PyList_GetItem(hosts_handlers, i) == handler)
            return true;
    return false;
}

/* TAKES what was in force; as the cell may see it. New, or NULL with an exception. */
static PyObject *show(PyObject *handler)
{
    PyObject *inner = handler != NULL ? scoped_inner(handler) : NULL;

    if (inner == NULL)
        return handler;
    py_own(inner);
    Py_DECREF(handler);
    return inner;
}

static PyObject *set_handler(const struct method_call *call, void *data)
{
    cleanup_py PyObject *carried = NULL;
    cleanup_py PyObject *old = NULL;

    (void)data;
    if (scope_current() == NULL || call->positional != 2)
        return method_call_next(call);
    if (!PyCallable_Check(call->args[1]) || is_hosts(call->args[1]))
        carried = py_own(call->args[1]);
    else
        carried = carry_callable(call->args[1]);
    old = carried != NULL ? method_call_next_with(call, 1, carried) : NULL;
    if (old == NULL || (PyCallable_Check(old) && scoped_inner(old) == NULL && !is_hosts(old) &&
                        PyList_Append(hosts_handlers, old) < 0))
        return NULL;
    return show(steal(old));
}

static PyObject *get_handler(const struct method_call *call, void *data)
{
    PyObject *handler = method_call_next(call);

    (void)data;
    return scope_current() != NULL ? show(handler) : handler;
}

/* ---- hooks of fork(), codecs ------------------------------------------------------------------ */

/* A function written in Python has a mark, or is a library's and gets nothing from a cell. */
static PyObject *carry_bare(PyObject *callable)
{
    return class_is_function(callable) ? py_own(callable) : carry_callable(callable);
}

static PyObject *register_at_fork(const struct method_call *call, void *data)
{
    Py_ssize_t count = call->kwnames != NULL ? PyTuple_Size(call->kwnames) : 0;
    PyObject *hooks[HOOKS_MAX] = {NULL};
    struct method_call changed = *call;
    PyObject *result = NULL;
    Py_ssize_t done = 0;

    (void)data;
    if (scope_current() == NULL || call->positional != 0 || count > HOOKS_MAX)
        return method_call_next(call); /* what is wrong is refused there */
    while (done < count && (hooks[done] = carry_bare(call->args[done])) != NULL)
        done++;
    changed.args = hooks;
    if (done == count)
        result = method_call_next(&changed);
    while (done > 0)
        Py_DECREF(hooks[--done]);
    return result;
}

/* codecs.register(search) · codecs.register_error(name, handler): the place is in `data`. */
static PyObject *register_codec(const struct method_call *call, void *data)
{
    Py_ssize_t index = (Py_ssize_t)(intptr_t)data;
    cleanup_py PyObject *carried = NULL;

    if (scope_current() == NULL || call->positional <= index || !PyCallable_Check(call->args[index]))
        return method_call_next(call);
    carried = carry_bare(call->args[index]);
    return carried != NULL ? method_call_next_with(call, index, carried) : NULL;
}

/* ---- hooks of asynchronous generators --------------------------------------------------------- */

enum { GENERATOR_HOOKS = 2 };

static PyObject *get_generator_hooks; /* sys.get_asyncgen_hooks, as it was at start */
static _Thread_local PyObject *found_hooks[GENERATOR_HOOKS]; /* the program's: asyncio puts back what it found */

static int note_found_hooks(void)
{
    cleanup_py PyObject *now = PyObject_CallNoArgs(get_generator_hooks);

    for (Py_ssize_t i = 0; now != NULL && i < GENERATOR_HOOKS; i++) {
        PyObject *hook = PyTuple_GetItem(now, i);
        PyObject *before = found_hooks[i];

        if (hook == Py_None || scoped_inner(hook) != NULL)
            continue;
        found_hooks[i] = py_own(hook);
        Py_XDECREF(before);
    }
    return now != NULL ? 0 : -1;
}

static PyObject *carry_hook(PyObject *hook)
{
    return PyCallable_Check(hook) && hook != found_hooks[0] && hook != found_hooks[1] ? carry_bare(hook) : py_own(hook);
}

/* sys.set_asyncgen_hooks(firstiter, finalizer): whoever iterates next calls them. */
static PyObject *set_generator_hooks(const struct method_call *call, void *data)
{
    Py_ssize_t count = call->positional + (call->kwnames != NULL ? PyTuple_Size(call->kwnames) : 0);
    PyObject *hooks[GENERATOR_HOOKS] = {NULL};
    struct method_call changed = *call;
    PyObject *result = NULL;
    Py_ssize_t done = 0;

    (void)data;
    if (scope_current() == NULL || count > GENERATOR_HOOKS)
        return method_call_next(call); /* what is wrong is refused there */
    if (note_found_hooks() < 0)
        return NULL;
    while (done < count && (hooks[done] = carry_hook(call->args[done])) != NULL)
        done++;
    changed.args = hooks;
    if (done == count)
        result = method_call_next(&changed);
    while (done > 0)
        Py_DECREF(hooks[--done]);
    return result;
}

static int find_generator_hooks(void)
{
    PyObject *get = PySys_GetObject("get_asyncgen_hooks");

    if (get == NULL)
        PyErr_SetString(PyExc_RuntimeError, "sys.get_asyncgen_hooks is missing");
    get_generator_hooks = py_own(get);
    return get != NULL ? 0 : -1;
}

/* ---- places --------------------------------------------------------------------------------- */

static int patch(const char *module_name, const char *name, method_patch_function function, void *data)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);

    return module != NULL ? method_patch_attribute(module, name, function, data) : -1;
}

/* Who sets it again wants Ctrl-C as it always was. */
static int remember_default(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_signal");
    cleanup_py PyObject *usual = module != NULL ? PyObject_GetAttrString(module, "default_int_handler") : NULL;

    hosts_handlers = usual != NULL ? py_hide(PyList_New(0)) : NULL;
    return hosts_handlers != NULL ? PyList_Append(hosts_handlers, usual) : -1;
}

int carry_handlers_start(void)
{
    if (remember_default() < 0 || find_generator_hooks() < 0)
        return -1;
    if (patch("_signal", "signal", set_handler, NULL) < 0 || patch("_signal", "getsignal", get_handler, NULL) < 0 ||
        patch("posix", "register_at_fork", register_at_fork, NULL) < 0 ||
        patch("sys", "set_asyncgen_hooks", set_generator_hooks, NULL) < 0 ||
        patch("_codecs", "register", register_codec, (void *)0) < 0)
        return -1;
    return patch("_codecs", "register_error", register_codec, (void *)1);
}
