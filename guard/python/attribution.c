#include "guard/python/attribution.h"
#include "guard/python/compat.h"
#include "guard/python/method_patch.h"
#include "guard/python/py_cleanup.h"

#include <pthread.h>

static struct {
    PyObject *variable;
    uint32_t running[SHELLS_MAX]; /* 0 between two requests; the main shell's is the first */
    uint32_t highest; /* of the numbers that the kernel process has given out */
    pthread_t main_thread;
} attribution;

static _Thread_local unsigned shell;
static _Thread_local uint32_t threads_cell; /* what this thread was started for, or works on */

void attribution_enter_shell(unsigned number)
{
    shell = number;
}

unsigned attribution_shell(void)
{
    return shell;
}

bool attribution_is_main_thread(void)
{
    return pthread_equal(pthread_self(), attribution.main_thread) != 0;
}

int attribution_start(void)
{
    attribution.main_thread = pthread_self();
    if (attribution.variable != NULL)
        return 0;
    attribution.variable = compat.context_var_new("safepyrun.cell", NULL);
    return attribution.variable != NULL ? 0 : -1;
}

uint32_t attribution_cell(void)
{
    cleanup_py PyObject *value = NULL;

    if (compat.context_var_get(attribution.variable, NULL, &value) < 0) {
        PyErr_Clear(); /* the only failure is a lack of memory for the lookup */
        return 0;
    }
    return value != NULL ? (uint32_t)PyLong_AsUnsignedLong(value) : threads_cell;
}

PyObject *attribution_set(uint32_t cell)
{
    cleanup_py PyObject *value = NULL;

    /* The kernel process ends a guard that names a cell which never was. */
    if (cell == 0 || cell > attribution.highest)
        return PyErr_Format(PyExc_ValueError, "there is no cell number %lu", (unsigned long)cell);
    value = PyLong_FromUnsignedLong(cell);
    return value != NULL ? compat.context_var_set(attribution.variable, value) : NULL;
}

int attribution_begin_request(uint32_t cell)
{
    attribution.running[shell] = cell;
    return attribution_begin_aside(cell);
}

int attribution_begin_aside(uint32_t cell)
{
    cleanup_py PyObject *token = NULL;

    if (cell > attribution.highest)
        attribution.highest = cell;
    threads_cell = cell;
    token = attribution_set(cell);
    return token != NULL ? 0 : -1;
}

void attribution_end_request(void)
{
    attribution.running[shell] = 0;
}

uint32_t attribution_running_cell(void)
{
    return attribution.running[0];
}

int attribution_find_shell(uint32_t cell)
{
    for (int i = 0; cell != 0 && i < SHELLS_MAX; i++)
        if (attribution.running[i] == cell)
            return i;
    return -1;
}

bool attribution_works_beside(void)
{
    for (int i = 1; i < SHELLS_MAX; i++)
        if (attribution.running[i] != 0)
            return true;
    return false;
}

bool attribution_is_running(uint32_t cell)
{
    return attribution_find_shell(cell) >= 0;
}

/* `self` is (number of the cell, what the thread was meant to run). */
static PyObject *run_in_thread(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *number = PyTuple_GetItem(self, 0);
    PyObject *function = PyTuple_GetItem(self, 1);
    cleanup_py PyObject *token = NULL;

    if (number == NULL || function == NULL)
        return NULL;
    threads_cell = (uint32_t)PyLong_AsUnsignedLong(number);
    token = compat.context_var_set(attribution.variable, number);
    if (token == NULL)
        return NULL;
    return PyObject_Call(function, args, kwargs);
}

static PyMethodDef run_in_thread_method = {"run_in_thread",
                                           (PyCFunction)(void (*)(void))run_in_thread,
                                           METH_VARARGS | METH_KEYWORDS, NULL};

static PyObject *start_thread(const struct method_call *call, void *data)
{
    cleanup_py PyObject *state = NULL;
    cleanup_py PyObject *wrapped = NULL;

    (void)data;
    /* What is no function is left to the original, which has the better error message. */
    if (call->positional < 1 || !PyCallable_Check(call->args[0]))
        return method_call_next(call);
    state = Py_BuildValue("(kO)", (unsigned long)attribution_cell(), call->args[0]);
    if (state == NULL)
        return NULL;
    wrapped = PyCFunction_NewEx(&run_in_thread_method, state, NULL);
    if (wrapped == NULL)
        return NULL;
    return method_call_next_with(call, 0, wrapped);
}

int attribution_patch_threads(void)
{
    /* 3.13 gave threading a function of its own; "start_new" is an older name of the first. */
    static const char *const names[] = {"start_new_thread", "start_new", "start_joinable_thread"};
    cleanup_py PyObject *module = PyImport_ImportModule("_thread");

    if (module == NULL)
        return -1;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cleanup_py PyObject *function = PyObject_GetAttrString(module, names[i]);

        if (function == NULL) {
            PyErr_Clear(); /* this version has no such function */
            continue;
        }
        if (method_patch(function, start_thread, NULL) != 0) {
            PyErr_Format(PyExc_RuntimeError, "_thread.%s cannot be patched", names[i]);
            return -1;
        }
    }
    return 0;
}
