#include "guard/audit/arguments.h"

#include "guard/python/compat.h"

/* Of code.h, which the limited API leaves out. */
enum { CODE_HAS_VARARGS = 0x04, CODE_HAS_KEYWORDS = 0x08 };

struct parameters {
    PyObject *names; /* tuple of all local names, parameters first */
    long positional;
    long keyword_only;
    long flags;
};

static long number_of(PyObject *code, const char *name)
{
    cleanup_py PyObject *value = PyObject_GetAttrString(code, name);

    return value != NULL ? PyLong_AsLong(value) : -1;
}

static int parameters_of(PyObject *code, struct parameters *ret_parameters)
{
    ret_parameters->names = PyObject_GetAttrString(code, "co_varnames");
    ret_parameters->positional = number_of(code, "co_argcount");
    ret_parameters->keyword_only = number_of(code, "co_kwonlyargcount");
    ret_parameters->flags = number_of(code, "co_flags");
    return ret_parameters->names != NULL && !PyErr_Occurred() ? 0 : -1;
}

static void parameters_finish(struct parameters *parameters)
{
    Py_XDECREF(parameters->names);
}

/* New; NULL without an exception when the function has deleted it. The keys are exact str: no
   comparison asks anybody. */
static PyObject *local(PyObject *locals, PyObject *name)
{
    PyObject *value = PyObject_GetItem(locals, name);

    if (value == NULL && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Clear();
    return value;
}

PyObject *arguments_first(PyFrameObject *frame, PyObject *code)
{
    cleanup_with(parameters_finish) struct parameters parameters = {.names = NULL};
    cleanup_py PyObject *locals = NULL;
    PyObject *first;

    if (parameters_of(code, &parameters) < 0 || parameters.positional < 1) {
        PyErr_Clear();
        return NULL;
    }
    locals = compat.frame_locals((PyObject *)frame);
    first = locals != NULL ? local(locals, PyTuple_GetItem(parameters.names, 0)) : NULL;
    PyErr_Clear();
    return first;
}

static int add_positional(PyObject *locals, const struct parameters *parameters, long from,
                          PyObject *args)
{
    for (long i = from; i < parameters->positional; i++) {
        cleanup_py PyObject *value = local(locals, PyTuple_GetItem(parameters->names, i));

        if (value == NULL ? PyErr_Occurred() != NULL : PyList_Append(args, value) < 0)
            return -1;
    }
    return 0;
}

/* The name may be of a class of the cell's: `f(**{Text("a"): 1})`. What is kept is an exact str. */
static int set_named(PyObject *kwargs, PyObject *name, PyObject *value)
{
    cleanup_py PyObject *exact = name != NULL ? PyUnicode_FromObject(name) : NULL;

    return exact != NULL ? PyDict_SetItem(kwargs, exact, value) : -1;
}

static int set_all_named(PyObject *kwargs, PyObject *rest)
{
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(rest, &at, &name, &value))
        if (set_named(kwargs, name, value) < 0)
            return -1;
    return 0;
}

static int add_named(PyObject *locals, const struct parameters *parameters, PyObject *kwargs)
{
    for (long i = 0; i < parameters->keyword_only; i++) {
        PyObject *name = PyTuple_GetItem(parameters->names, parameters->positional + i);
        cleanup_py PyObject *value = name != NULL ? local(locals, name) : NULL;

        if (value == NULL ? PyErr_Occurred() != NULL : PyDict_SetItem(kwargs, name, value) < 0)
            return -1;
    }
    return 0;
}

/* *args is a tuple and **kwargs a dict, unless the function has put something else there. */
static int add_rest(PyObject *locals, const struct parameters *parameters,
                    struct recovered *recovered)
{
    long at = parameters->positional + parameters->keyword_only;

    if ((parameters->flags & CODE_HAS_VARARGS) != 0) {
        cleanup_py PyObject *rest = local(locals, PyTuple_GetItem(parameters->names, at++));

        for (Py_ssize_t i = 0; rest != NULL && PyTuple_CheckExact(rest) && i < PyTuple_Size(rest); i++)
            if (PyList_Append(recovered->args, PyTuple_GetItem(rest, i)) < 0)
                return -1;
    }
    if ((parameters->flags & CODE_HAS_KEYWORDS) != 0) {
        cleanup_py PyObject *rest = local(locals, PyTuple_GetItem(parameters->names, at));

        if (rest != NULL && PyDict_CheckExact(rest) && set_all_named(recovered->kwargs, rest) < 0)
            return -1;
    }
    return PyErr_Occurred() != NULL ? -1 : 0;
}

int arguments_recover(PyFrameObject *frame, PyObject *code, int takes_self,
                      struct recovered *ret_recovered)
{
    cleanup_with(parameters_finish) struct parameters parameters = {.names = NULL};
    cleanup_py PyObject *locals = NULL;
    long from = 0;

    ret_recovered->args = PyList_New(0);
    ret_recovered->kwargs = PyDict_New();
    if (ret_recovered->args == NULL || ret_recovered->kwargs == NULL ||
        parameters_of(code, &parameters) < 0)
        return -1;
    locals = compat.frame_locals((PyObject *)frame);
    if (locals == NULL)
        return -1;
    if (takes_self && parameters.positional > 0) {
        ret_recovered->self = local(locals, PyTuple_GetItem(parameters.names, 0));
        from = 1;
    }
    if (PyErr_Occurred() || add_positional(locals, &parameters, from, ret_recovered->args) < 0 ||
        add_named(locals, &parameters, ret_recovered->kwargs) < 0)
        return -1;
    return add_rest(locals, &parameters, ret_recovered);
}

int arguments_of_call(PyObject *const *args, Py_ssize_t positional, PyObject *kwnames,
                      struct recovered *ret_recovered)
{
    Py_ssize_t named = kwnames != NULL ? PyTuple_Size(kwnames) : 0;

    ret_recovered->args = PyList_New(0);
    ret_recovered->kwargs = PyDict_New();
    if (ret_recovered->args == NULL || ret_recovered->kwargs == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < positional; i++)
        if (PyList_Append(ret_recovered->args, args[i]) < 0)
            return -1;
    for (Py_ssize_t i = 0; i < named; i++)
        if (set_named(ret_recovered->kwargs, PyTuple_GetItem(kwnames, i), args[positional + i]) < 0)
            return -1;
    return 0;
}

void recovered_finish(struct recovered *recovered)
{
    Py_CLEAR(recovered->self);
    Py_CLEAR(recovered->args);
    Py_CLEAR(recovered->kwargs);
}
