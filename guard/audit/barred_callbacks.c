#include "guard/audit/barred_callbacks.h"

#include "guard/audit/tools.h"

static PyObject *call_barred(PyObject *callback, PyObject *args)
{
    bool before = tools_bar();
    PyObject *result = PyObject_CallObject(callback, args);

    tools_unbar(before);
    return result;
}

static PyMethodDef barred_method = {"callback", call_barred, METH_VARARGS, NULL};

PyObject *barred_callback(PyObject *callback)
{
    return PyCFunction_NewEx(&barred_method, callback, NULL);
}

PyObject *barred_callback_of_reference(PyObject *args)
{
    cleanup_py PyObject *barred = barred_callback(PyTuple_GetItem(args, 1));
    cleanup_py PyObject *items = barred != NULL ? PySequence_List(args) : NULL;

    if (items == NULL || PyList_SetItem(items, 1, py_own(barred)) < 0)
        return NULL;
    return PyList_AsTuple(items);
}
