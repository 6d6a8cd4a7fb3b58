#include "guard/python/wrapped.h"
#include "guard/python/py_cleanup.h"

#include <string.h>

/* Chains of exceptions can be long, and a cell can tie one into a ring. */
enum { DEPTH_MAX = 12 };
#define REFUSED "safepyrun refused to "

/* Only the built-in class itself: no method of a cell's class is asked. */
static bool is_refusal(PyObject *exception)
{
    cleanup_py PyObject *arguments = NULL;
    PyObject *text;
    const char *bytes;

    if ((PyObject *)Py_TYPE(exception) != PyExc_PermissionError)
        return false;
    arguments = PyObject_GetAttrString(exception, "args");
    if (arguments == NULL || !PyTuple_CheckExact(arguments) || PyTuple_Size(arguments) < 2)
        return false;
    text = PyTuple_GetItem(arguments, 1);
    bytes = PyUnicode_CheckExact(text) ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
    return bytes != NULL && strncmp(bytes, REFUSED, strlen(REFUSED)) == 0;
}

static PyObject *frame_of(PyObject *traceback)
{
    return PyObject_GetAttrString(traceback, "tb_frame");
}

static PyObject *next_of(PyObject *traceback)
{
    PyObject *next = PyObject_GetAttrString(traceback, "tb_next");

    if (next == Py_None)
        Py_CLEAR(next);
    return next;
}

/* A traceback begins in the frame that caught the exception. */
static bool was_caught_by_library(PyObject *exception, bool (*is_user_code)(PyObject *code))
{
    cleanup_py PyObject *traceback = PyException_GetTraceback(exception);
    cleanup_py PyObject *frame = traceback != NULL ? frame_of(traceback) : NULL;
    cleanup_py PyObject *code = frame != NULL ? PyObject_GetAttrString(frame, "f_code") : NULL;

    return code != NULL && !is_user_code(code);
}

/* One more entry of the same place before `rest`, which may be NULL. */
static PyObject *entry_before(PyObject *entry, PyObject *rest)
{
    cleanup_py PyObject *frame = frame_of(entry);
    cleanup_py PyObject *instruction = PyObject_GetAttrString(entry, "tb_lasti");
    cleanup_py PyObject *line = PyObject_GetAttrString(entry, "tb_lineno");

    if (frame == NULL || instruction == NULL || line == NULL)
        return NULL;
    return PyObject_CallFunction((PyObject *)Py_TYPE(entry), "OOOO", rest != NULL ? rest : Py_None,
                                 frame, instruction, line);
}

/* The way to the frame that caught the inner exception, and from there the inner one's own way. */
static PyObject *join(PyObject *outer, PyObject *inner)
{
    cleanup_py PyObject *frame = frame_of(outer);
    cleanup_py PyObject *catcher = frame_of(inner);
    cleanup_py PyObject *next = NULL;
    cleanup_py PyObject *rest = NULL;

    if (frame == NULL || catcher == NULL)
        return NULL;
    if (frame == catcher)
        return py_own(inner);
    next = next_of(outer);
    if (PyErr_Occurred() || Py_EnterRecursiveCall(" while a traceback is joined"))
        return NULL;
    rest = next != NULL ? join(next, inner) : py_own(inner);
    Py_LeaveRecursiveCall();
    return rest != NULL ? entry_before(outer, rest) : NULL;
}

/* Gives the inner exception the outer one's way to it. One that cannot be joined stays as it is. */
static void join_tracebacks(PyObject *outer, PyObject *inner)
{
    cleanup_py PyObject *way = PyException_GetTraceback(outer);
    cleanup_py PyObject *own = PyException_GetTraceback(inner);
    cleanup_py PyObject *joined = way != NULL && own != NULL ? join(way, own) : NULL;

    if (joined != NULL)
        PyException_SetTraceback(inner, joined);
    PyErr_Clear();
}

/* The refusal behind `outer` as a new reference, its traceback leading there; or NULL. */
static PyObject *find(PyObject *outer, bool (*is_user_code)(PyObject *code), int depth)
{
    cleanup_py PyObject *cause = PyException_GetCause(outer);
    cleanup_py PyObject *context = PyException_GetContext(outer);
    PyObject *behind[] = {cause, context};

    for (int i = 0; depth < DEPTH_MAX && i < 2; i++) {
        cleanup_py PyObject *found = NULL;

        if (behind[i] == NULL || (i == 1 && context == cause) ||
            !was_caught_by_library(behind[i], is_user_code))
            continue;
        found =
            is_refusal(behind[i]) ? py_own(behind[i]) : find(behind[i], is_user_code, depth + 1);
        if (found == NULL)
            continue;
        join_tracebacks(outer, found);
        return steal(found);
    }
    return NULL;
}

PyObject *wrapped_refusal(PyObject *exception, bool (*is_user_code)(PyObject *code))
{
    PyObject *refusal = is_refusal(exception) ? NULL : find(exception, is_user_code, 0);

    PyErr_Clear(); /* an odd traceback or text: the exception is shown as it is */
    if (refusal == NULL)
        return exception;
    Py_DECREF(exception);
    return refusal;
}

void wrapped_tell(PyObject *exception, const char *refused)
{
    cleanup_py PyObject *note = NULL;
    cleanup_py PyObject *done = NULL;

    if (refused == NULL || !PyErr_GivenExceptionMatches(exception, PyExc_OSError) ||
        (PyType_GetFlags(Py_TYPE(exception)) & Py_TPFLAGS_HEAPTYPE) != 0 || is_refusal(exception))
        return;
    note = PyUnicode_FromFormat("Before that, %s", refused);
    done = note != NULL ? PyObject_CallMethod(exception, "add_note", "O", note) : NULL;
    PyErr_Clear();
}
