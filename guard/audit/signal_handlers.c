#include "guard/audit/signal_handlers.h"

#include "guard/audit/carriers.h"
#include "guard/audit/class_parts.h"
#include "guard/python/aside.h"
#include "guard/python/compat.h"

#include <signal.h>

static struct {
    PyObject *get;               /* signal.getsignal, the built-in one */
    PyObject *default_interrupt; /* signal.default_int_handler */
    PyObject *interrupt;         /* the handler of SIGINT that was there before cells */
} state;

int signal_handlers_remember(void)
{
    cleanup_py PyObject *signals = PyImport_ImportModule("_signal");

    if (signals == NULL)
        return -1;
    state.get = PyObject_GetAttrString(signals, "getsignal");
    state.default_interrupt = PyObject_GetAttrString(signals, "default_int_handler");
    if (state.get == NULL || state.default_interrupt == NULL)
        return -1;
    state.interrupt = PyObject_CallFunction(state.get, "i", SIGINT);
    return state.interrupt != NULL ? 0 : -1;
}

bool signal_handlers_are_ours(PyObject *handler)
{
    return handler == state.default_interrupt || handler == state.interrupt || aside_is_handler(handler);
}

void signal_handlers_read(struct signal_handlers *ret)
{
    *ret = (struct signal_handlers){.are_known = true};
    for (int i = 1; i < NSIG && ret->are_known; i++) {
        cleanup_py PyObject *number = PyLong_FromLong(i);
        PyObject *handler = number != NULL ? PyObject_CallFunctionObjArgs(state.get, number, NULL) : NULL;

        ret->are_known = handler != NULL; /* the end of the stack, for one */
        if (handler == NULL || handler == Py_None || PyLong_CheckExact(handler))
            Py_XDECREF(handler); /* the system's: SIG_DFL, SIG_IGN, or C code */
        else
            ret->items[ret->count++] = handler;
    }
    PyErr_Clear();
}

void signal_handlers_finish(struct signal_handlers *handlers)
{
    for (size_t i = 0; i < handlers->count; i++)
        Py_DECREF(handlers->items[i]);
}

/* Borrowed; NULL for what is no functools.partial, or one of no function in Python. */
static PyObject *code_of_partial(PyObject *handler)
{
    cleanup_py PyObject *callable = NULL;
    PyObject *parts[3] = {NULL, NULL, NULL};
    PyObject *function;

    if (!class_is_partial(handler))
        return NULL;
    callable = PyObject_GetAttrString(handler, "func");
    if (callable == NULL) {
        PyErr_Clear();
        return NULL;
    }
    class_unwrap(callable, parts);
    function = parts[0] != NULL ? parts[0] : callable;
    return class_is_function(function) ? compat.function_code(function) : NULL;
}

bool signal_handlers_hold(const struct signal_handlers *handlers)
{
    for (size_t i = 0; i < handlers->count; i++) {
        PyObject *handler = handlers->items[i];

        if (!signal_handlers_are_ours(handler) && code_of_partial(handler) == NULL && carriers_is_one(handler))
            return false;
    }
    return handlers->are_known;
}

bool signal_handlers_begin_with(const struct signal_handlers *handlers, PyObject *code)
{
    for (size_t i = 0; i < handlers->count; i++)
        if (code_of_partial(handlers->items[i]) == code)
            return true;
    return !handlers->are_known;
}
