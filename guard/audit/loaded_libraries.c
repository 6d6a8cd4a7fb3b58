#include "guard/audit/loaded_libraries.h"

#include "guard/link/cleanup.h"
#include "guard/python/py_cleanup.h"

#include <link.h>
#include <string.h>

/* ---- the callable behind the callback --------------------------------------------------------- */

static int note_callable(PyObject *object, void *found)
{
    PyObject **callable = found;

    if (*callable == NULL && !PyType_Check(object) && PyCallable_Check(object))
        *callable = object;
    return 0;
}

/* No attribute shows it; what the collector is told about does. Borrowed. */
static PyObject *callable_of(PyTypeObject *function_type, PyObject *callback)
{
    traverseproc traverse = (traverseproc)PyType_GetSlot(function_type, Py_tp_traverse);
    PyObject *callable = NULL;

    if (traverse != NULL && PyObject_TypeCheck(callback, function_type))
        traverse(callback, note_callable, &callable);
    return callable;
}

/* ---- the names -------------------------------------------------------------------------------- */

static int note_name(struct dl_phdr_info *info, size_t size, void *list)
{
    cleanup_py PyObject *name = PyBytes_FromString(info->dlpi_name != NULL ? info->dlpi_name : "");

    (void)size;
    return name == NULL || PyList_Append(list, name) < 0 ? -1 : 0;
}

/* As `info.contents.dlpi_name` reads it. */
static PyObject *describe(PyObject *namespace, PyObject *name)
{
    cleanup_py PyObject *contents = PyObject_CallNoArgs(namespace);
    cleanup_py PyObject *pointer = PyObject_CallNoArgs(namespace);

    if (contents == NULL || pointer == NULL ||
        PyObject_SetAttrString(contents, "dlpi_name", name) < 0 ||
        PyObject_SetAttrString(pointer, "contents", contents) < 0)
        return NULL;
    return steal(pointer);
}

static int tell_one(PyObject *namespace, PyObject *callable, PyObject *name, long *ret_answer)
{
    cleanup_py PyObject *info = describe(namespace, name);
    cleanup_py PyObject *answer =
        info != NULL
            ? PyObject_CallFunction(callable, "Oiy", info, (int)sizeof(struct dl_phdr_info), "")
            : NULL;

    if (answer == NULL)
        return -1;
    *ret_answer = PyLong_Check(answer) ? PyLong_AsLong(answer) : 0;
    return PyErr_Occurred() != NULL ? -1 : 0;
}

PyObject *loaded_libraries_tell(PyTypeObject *function_type, PyObject *args)
{
    PyObject *callback = PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : NULL;
    cleanup_py PyObject *callable =
        callback != NULL ? Py_XNewRef(callable_of(function_type, callback)) : NULL;
    cleanup_py PyObject *types = PyImport_ImportModule("types");
    cleanup_py PyObject *namespace =
        types != NULL ? PyObject_GetAttrString(types, "SimpleNamespace") : NULL;
    cleanup_py PyObject *names = PyList_New(0);
    long answer = 0;

    if (namespace == NULL || names == NULL)
        return NULL;
    if (callable == NULL) {
        PyErr_SetString(PyExc_TypeError, "dl_iterate_phdr needs a callback in Python");
        return NULL;
    }
    if (dl_iterate_phdr(note_name, names) != 0)
        return NULL;
    for (Py_ssize_t i = 0; answer == 0 && i < PyList_Size(names); i++)
        if (tell_one(namespace, callable, PyList_GetItem(names, i), &answer) < 0)
            return NULL;
    return PyLong_FromLong(answer);
}
