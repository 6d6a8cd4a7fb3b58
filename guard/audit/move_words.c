#include "guard/audit/move_words.h"

#include "guard/python/error.h"
#include "guard/python/method_patch.h"
#include "guard/python/py_cleanup.h"

#include <errno.h>
#include <stdbool.h>

static bool is_between_mounts(PyObject *exception)
{
    cleanup_py PyObject *number = NULL;
    bool is;

    if (!PyErr_GivenExceptionMatches(exception, PyExc_OSError))
        return false;
    number = PyObject_GetAttrString(exception, "errno");
    is = number != NULL && PyLong_CheckExact(number) && PyLong_AsLong(number) == EXDEV;
    PyErr_Clear();
    return is;
}

/* The same error about the same files. */
static PyObject *with_words(PyObject *exception)
{
    cleanup_py PyObject *source = PyObject_GetAttrString(exception, "filename");
    cleanup_py PyObject *target =
        source != NULL ? PyObject_GetAttrString(exception, "filename2") : NULL;

    return target != NULL
               ? PyObject_CallFunction(PyExc_OSError, "isOOO", EXDEV,
                                       "Invalid cross-device link (each write root is a file system "
                                       "of its own here: shutil.move() copies and deletes)",
                                       source, Py_None, target)
               : NULL;
}

static PyObject *rename_file(const struct method_call *call, void *data)
{
    PyObject *result = method_call_next(call);
    cleanup_py PyObject *exception = result == NULL ? error_take() : NULL;
    cleanup_py PyObject *better = NULL;

    (void)data;
    if (result != NULL)
        return result;
    if (is_between_mounts(exception))
        better = with_words(exception);
    PyErr_Clear();
    error_raise(better != NULL ? better : exception);
    return NULL;
}

int move_words_init(void)
{
    cleanup_py PyObject *posix = PyImport_ImportModule("posix");
    cleanup_py PyObject *rename = posix != NULL ? PyObject_GetAttrString(posix, "rename") : NULL;
    cleanup_py PyObject *replace = rename != NULL ? PyObject_GetAttrString(posix, "replace") : NULL;

    if (replace == NULL)
        return -1;
    if (method_patch(rename, rename_file, NULL) == 0 && method_patch(replace, rename_file, NULL) == 0)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot stand in front of os.rename()");
    return -1;
}
