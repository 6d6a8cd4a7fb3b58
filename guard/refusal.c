#include "guard/refusal.h"

#include "guard/denials.h"
#include "guard/python/display.h"
#include "guard/python/py_cleanup.h"
#include "guard/report.h"

#include <string.h>

enum {
    CHAIN_MAX = 16, /* exceptions behind one another, and beside one another in a group */
    LOOKED_AT_MAX = 64,
    COMPARED_BYTES_MAX = 960,
};

static struct {
    PyObject *compose;
    PyObject *group_type; /* ExceptionGroup; the base is PyExc_BaseExceptionGroup */
} refusal;

int refusal_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._refusal");
    cleanup_py PyObject *builtins = PyImport_ImportModule("builtins");

    if (module == NULL || builtins == NULL)
        return -1;
    refusal.compose = PyObject_GetAttrString(module, "compose");
    refusal.group_type = PyObject_GetAttrString(builtins, "ExceptionGroup");
    return refusal.compose != NULL && refusal.group_type != NULL ? 0 : -1;
}

/* What both texts surely spell alike: Python replaces and cuts odd bytes in its own way. */
static size_t comparable_size(const char *message)
{
    const char *odd = strstr(message, "\xef\xbf\xbd");
    size_t size = odd != NULL ? (size_t)(odd - message) : strlen(message);

    return size < COMPARED_BYTES_MAX ? size : COMPARED_BYTES_MAX;
}

/* Somebody may have added to the text (how to install packages): the beginning counts. */
static struct denial_record *find_record(const char *text)
{
    for (unsigned long number = denials_count(); number-- > denials_first();) {
        cleanup_denial struct denial_record *record = denials_get(number);
        const char *message = record->message;

        if (strncmp(text, message, comparable_size(message)) == 0)
            return steal(record);
    }
    return NULL;
}

/* The very type: reading an attribute of it runs nothing that a cell has written. */
static struct denial_record *record_of(PyObject *error)
{
    cleanup_py PyObject *value = NULL;
    cleanup_py PyObject *utf8 = NULL;

    if ((PyObject *)Py_TYPE(error) != PyExc_PermissionError)
        return NULL;
    value = PyObject_GetAttrString(error, "strerror");
    if (value != NULL && PyUnicode_CheckExact(value))
        utf8 = PyUnicode_AsEncodedString(value, "utf-8", "replace");
    PyErr_Clear(); /* an odd error has no card */
    return utf8 != NULL ? find_record(PyBytes_AsString(utf8)) : NULL;
}

static bool is_group(PyObject *error)
{
    PyObject *type = (PyObject *)Py_TYPE(error);

    return type == refusal.group_type || type == PyExc_BaseExceptionGroup;
}

static struct denial_record *search(PyObject *error, int *left);

static struct denial_record *search_group(PyObject *group, int *left)
{
    cleanup_py PyObject *members = PyObject_GetAttrString(group, "exceptions");
    struct denial_record *found = NULL;

    if (members == NULL || !PyTuple_Check(members)) {
        PyErr_Clear(); /* as above */
        return NULL;
    }
    for (Py_ssize_t i = 0; found == NULL && i < PyTuple_Size(members) && i < CHAIN_MAX; i++)
        found = search(PyTuple_GetItem(members, i), left);
    return found;
}

/* The error itself, those in it, and those that a library turned into it. */
static struct denial_record *search(PyObject *error, int *left)
{
    PyObject *at = py_own(error);
    struct denial_record *found = NULL;

    while (at != NULL && found == NULL && --*left > 0 && PyExceptionInstance_Check(at)) {
        PyObject *next = PyException_GetCause(at);

        found = record_of(at);
        if (found == NULL && is_group(at))
            found = search_group(at, left);
        if (next == NULL)
            next = PyException_GetContext(at);
        Py_DECREF(at);
        at = next;
    }
    Py_XDECREF(at);
    return found;
}

/* sqlite3 makes an error of its own of an authorizer's no, with nothing behind it: the last refusal
   of this cell, when it was the authorizer's, is meant. */
static struct denial_record *record_of_database(uint32_t cell, PyObject *error)
{
    cleanup_denial struct denial_record *last =
        denials_count() > 0 ? denials_get(denials_count() - 1) : NULL;
    cleanup_py PyObject *name = PyType_GetName(Py_TYPE(error));

    if (last == NULL || last->cell != cell || strncmp(last->event, "sqlite3.", 8) != 0 ||
        name == NULL ||
        (PyUnicode_CompareWithASCIIString(name, "DatabaseError") != 0 &&
         PyUnicode_CompareWithASCIIString(name, "OperationalError") != 0))
        return NULL;
    return steal(last);
}

static struct denial_record *find_behind(uint32_t cell, PyObject *error)
{
    int left = LOOKED_AT_MAX;
    struct denial_record *record = search(error, &left);

    return record != NULL ? record : record_of_database(cell, error);
}

void refusal_show(uint32_t cell, PyObject *error)
{
    cleanup_denial struct denial_record *record = find_behind(cell, error);
    cleanup_py PyObject *about = record != NULL ? report_denial(record) : NULL;
    cleanup_py PyObject *content = NULL;

    if (about != NULL)
        content = PyObject_CallFunctionObjArgs(refusal.compose, about, NULL);
    if (content != NULL)
        (void)display_send_for(cell, FRAME_DISPLAY_DATA, content);
    PyErr_Clear(); /* the error message that follows says the same in one line */
}
