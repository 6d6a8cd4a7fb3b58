#include "guard/audit/weak_callbacks.h"

#include "guard/audit/tools.h"

static PyObject *call_barred(PyObject *callback, PyObject *reference)
{
    bool before = tools_bar();
    PyObject *result = PyObject_CallFunctionObjArgs(callback, reference, NULL);

    tools_unbar(before);
    return result;
}

static PyMethodDef barred_method = {"callback", call_barred, METH_O, NULL};

PyObject *weak_callbacks_bar(PyObject *args)
{
    cleanup_py PyObject *barred = PyCFunction_NewEx(&barred_method, PyTuple_GetItem(args, 1), NULL);
    cleanup_py PyObject *items = barred != NULL ? PySequence_List(args) : NULL;

    if (items == NULL || PyList_SetItem(items, 1, py_own(barred)) < 0)
        return NULL;
    return PyList_AsTuple(items);
}
