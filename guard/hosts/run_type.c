/* A call of RunPython as something that can be awaited: Python's side of it. What a step does is in
 * run.c. */
#include "guard/hosts/run_parts.h"

#include "guard/python/error.h"
#include "guard/python/program.h"

#include <string.h>

static PyTypeObject *run_type;

static PySendResult run_send_slot(PyObject *self, PyObject *input, PyObject **ret_value)
{
    return run_step((struct run *)self, input, ret_value);
}

static PyObject *as_call(PySendResult result, PyObject *value)
{
    cleanup_py PyObject *stop = NULL;

    if (result != PYGEN_RETURN)
        return value;
    /* A tuple or an exception as the value must not be taken apart. */
    stop = PyObject_CallFunctionObjArgs(PyExc_StopIteration, value, NULL);
    if (stop != NULL)
        PyErr_SetObject(PyExc_StopIteration, stop);
    Py_DECREF(value);
    return NULL;
}

static PyObject *run_next(PyObject *self)
{
    PyObject *value;
    PySendResult result = run_step((struct run *)self, Py_None, &value);

    return as_call(result, value);
}

static PyObject *run_send(PyObject *self, PyObject *input)
{
    PyObject *value;
    PySendResult result = run_step((struct run *)self, input, &value);

    return as_call(result, value);
}

/* throw(exception), or the old form throw(type, value, traceback). */
static PyObject *run_throw(PyObject *self, PyObject *args)
{
    PyObject *type;
    PyObject *value = NULL;
    PyObject *traceback = NULL;
    PyObject *result_value;
    PySendResult result;

    if (!PyArg_ParseTuple(args, "O|OO:throw", &type, &value, &traceback))
        return NULL;
    if (PyExceptionInstance_Check(type))
        error_raise(type);
    else if (PyExceptionClass_Check(type))
        PyErr_SetObject(type, value);
    else
        PyErr_SetString(PyExc_TypeError, "exceptions must be classes or instances");
    result = run_step((struct run *)self, NULL, &result_value);
    return as_call(result, result_value);
}

/* As a coroutine: whoever waits inside is told to end. */
static PyObject *run_close(PyObject *self, PyObject *unused)
{
    struct run *run = (struct run *)self;
    PyObject *value;

    (void)unused;
    if (run->is_running) {
        PyErr_SetString(PyExc_ValueError, "this call is running already");
        return NULL;
    }
    if (run->awaiting != NULL) {
        PySendResult result;

        PyErr_SetNone(PyExc_GeneratorExit);
        result = run_step(run, NULL, &value);
        Py_XDECREF(value);
        if (result == PYGEN_NEXT) {
            PyErr_SetString(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
            return NULL;
        }
        if (result == PYGEN_ERROR && !PyErr_ExceptionMatches(PyExc_GeneratorExit) &&
            !PyErr_ExceptionMatches(PyExc_StopIteration))
            return NULL;
        PyErr_Clear();
    }
    run->stage = STAGE_DONE;
    return run_end(run, false) == 0 ? py_own(Py_None) : NULL;
}

static int run_traverse(PyObject *self, visitproc visit, void *arg)
{
    /* What the run holds of the scope and the host is not shown: nobody finds it through the
     * collector. */
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void run_dealloc(PyObject *self)
{
    struct run *run = (struct run *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject *kept_type;
    PyObject *kept_value;
    PyObject *kept_traceback;

    PyObject_GC_UnTrack(self);
    PyErr_Fetch(&kept_type, &kept_value, &kept_traceback);
    run_end(run, false);
    PyErr_Clear(); /* nobody is there to be told */
    PyErr_Restore(kept_type, kept_value, kept_traceback);
    Py_CLEAR(run->capture);
    Py_CLEAR(run->value);
    Py_CLEAR(run->source);
    Py_DECREF((PyObject *)run->runner);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {{"send", run_send, METH_O, NULL},
                                {"throw", run_throw, METH_VARARGS, NULL},
                                {"close", run_close, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};

static PyObject *return_self(PyObject *self)
{
    return py_own(self);
}

static PyType_Slot slots[] = {{Py_tp_dealloc, (void *)run_dealloc},
                              {Py_tp_traverse, (void *)run_traverse},
                              {Py_tp_iter, (void *)return_self},
                              {Py_tp_iternext, (void *)run_next},
                              {Py_am_await, (void *)return_self},
                              {Py_am_send, (void *)run_send_slot},
                              {Py_tp_methods, methods},
                              {0, NULL}};

static PyType_Spec spec = {.name = "safepyrun._guard.Run",
                           .basicsize = sizeof(struct run),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                    Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};

int run_start(void)
{
    if (run_type == NULL)
        run_type = (PyTypeObject *)PyType_FromSpec(&spec);
    return run_type != NULL && program_start() == 0 ? 0 : -1;
}

PyObject *run_new(struct runner *runner, PyObject *source)
{
    struct run *run;

    if (!PyUnicode_Check(source)) {
        PyErr_SetString(PyExc_TypeError, "the code of a cell is text");
        return NULL;
    }
    run = PyObject_GC_New(struct run, run_type);
    if (run == NULL)
        return NULL;
    memset((char *)run + sizeof(PyObject), 0, sizeof(*run) - sizeof(PyObject));
    run->runner = (struct runner *)py_own((PyObject *)runner);
    run->source = py_own(source);
    PyObject_GC_Track(run);
    return (PyObject *)run;
}
