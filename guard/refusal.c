#include "guard/refusal.h"

#include "guard/denials.h"
#include "guard/python/attribution.h"
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
static struct denial_record *record_of(uint32_t cell, PyObject *error)
{
    cleanup_py PyObject *value = NULL;
    cleanup_py PyObject *utf8 = NULL;

    (void)cell;
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

/* Native code that makes an error of its own of a no, with nothing behind it, and says what is not so. */
static const struct {
    const char *event; /* how it begins */
    const char *type;
    const char *text; /* NULL: any */
} replaced[] = {
    {"sqlite3.", "DatabaseError", NULL},
    {"sqlite3.", "OperationalError", NULL},
    {"sys.monitoring.", "ValueError", "Another profiling tool is already active"}, /* cProfile */
};

static bool is_called(PyObject *error, const char *name)
{
    cleanup_py PyObject *found = PyType_GetName(Py_TYPE(error));
    bool fits = found != NULL && PyUnicode_CompareWithASCIIString(found, name) == 0;

    PyErr_Clear();
    return fits;
}

/* What it was made from is read from its own slot: a class of the cell may define anything else. */
static bool says(PyObject *error, const char *wanted)
{
    cleanup_py PyObject *get = PyObject_GetAttrString(PyExc_BaseException, "args");
    cleanup_py PyObject *args = get != NULL ? PyObject_CallMethod(get, "__get__", "O", error) : NULL;
    PyObject *text = args != NULL && PyTuple_CheckExact(args) && PyTuple_Size(args) == 1 ? PyTuple_GetItem(args, 0)
                                                                                         : NULL;
    bool fits = text != NULL && PyUnicode_CheckExact(text) && PyUnicode_CompareWithASCIIString(text, wanted) == 0;

    PyErr_Clear();
    return fits;
}

/* The last refusal of this cell, when it was one that becomes such an error, is meant. */
static struct denial_record *record_replaced_by(uint32_t cell, PyObject *error)
{
    cleanup_denial struct denial_record *last = denials_count() > 0 ? denials_get(denials_count() - 1) : NULL;

    if (last == NULL || last->cell != cell)
        return NULL;
    for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++)
        if (strncmp(last->event, replaced[i].event, strlen(replaced[i].event)) == 0 &&
            is_called(error, replaced[i].type) && (replaced[i].text == NULL || says(error, replaced[i].text)))
            return steal(last);
    return NULL;
}

/* Looks at one exception: NULL when it comes from no refusal. */
typedef struct denial_record *look_function(uint32_t cell, PyObject *error);

static struct denial_record *search(look_function *look, uint32_t cell, PyObject *error, int *left);

static struct denial_record *search_group(look_function *look, uint32_t cell, PyObject *group, int *left)
{
    cleanup_py PyObject *members = PyObject_GetAttrString(group, "exceptions");
    struct denial_record *found = NULL;

    if (members == NULL || !PyTuple_Check(members)) {
        PyErr_Clear(); /* as above */
        return NULL;
    }
    for (Py_ssize_t i = 0; found == NULL && i < PyTuple_Size(members) && i < CHAIN_MAX; i++)
        found = search(look, cell, PyTuple_GetItem(members, i), left);
    return found;
}

/* The error itself, those in it, and those that a library turned into it. */
static struct denial_record *search(look_function *look, uint32_t cell, PyObject *error, int *left)
{
    PyObject *at = py_own(error);
    struct denial_record *found = NULL;

    while (at != NULL && found == NULL && --*left > 0 && PyExceptionInstance_Check(at)) {
        PyObject *next = PyException_GetCause(at);

        found = look(cell, at);
        if (found == NULL && is_group(at))
            found = search_group(look, cell, at, left);
        if (next == NULL)
            next = PyException_GetContext(at);
        Py_DECREF(at);
        at = next;
    }
    Py_XDECREF(at);
    return found;
}

static struct denial_record *find_behind(look_function *look, uint32_t cell, PyObject *error)
{
    int left = LOOKED_AT_MAX;

    return search(look, cell, error, &left);
}

PyObject *refusal_note(uint32_t cell, PyObject *error)
{
    cleanup_denial struct denial_record *record = find_behind(record_replaced_by, cell, error);

    return record != NULL ? PyUnicode_DecodeUTF8(record->message, (Py_ssize_t)strlen(record->message), "replace")
                          : NULL;
}

void refusal_show(uint32_t cell, PyObject *error)
{
    cleanup_denial struct denial_record *behind = find_behind(record_of, cell, error);
    cleanup_denial struct denial_record *record =
        behind != NULL ? steal(behind) : find_behind(record_replaced_by, cell, error);
    cleanup_py PyObject *about = record != NULL ? report_denial(record) : NULL;
    cleanup_py PyObject *content = NULL;

    if (about != NULL)
        content = PyObject_CallFunctionObjArgs(refusal.compose, about, NULL);
    if (content != NULL)
        (void)display_send_for(cell, FRAME_DISPLAY_DATA, content);
    PyErr_Clear(); /* the error message that follows says the same in one line */
}

/* An error that the shell shows beside the cell's own: of %run, an event, a widget's callback. */
static PyObject *show(PyObject *self, PyObject *error)
{
    uint32_t cell = attribution_cell();

    (void)self;
    if (attribution_is_running(cell))
        refusal_show(cell, error);
    return py_own(Py_None);
}

static PyMethodDef methods[] = {{"show_refusal", show, METH_O, NULL}, {NULL, NULL, 0, NULL}};

int refusal_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._refusal");
    cleanup_py PyObject *guard = PyImport_ImportModule("safepyrun._guard");
    cleanup_py PyObject *builtins = PyImport_ImportModule("builtins");

    if (module == NULL || guard == NULL || builtins == NULL || PyModule_AddFunctions(guard, methods) < 0)
        return -1;
    refusal.compose = PyObject_GetAttrString(module, "compose");
    refusal.group_type = PyObject_GetAttrString(builtins, "ExceptionGroup");
    return refusal.compose != NULL && refusal.group_type != NULL ? 0 : -1;
}
