#include "guard/audit/gdbm_guard.h"

#include "guard/audit/hook.h"
#include "guard/python/method_patch.h"

/* The address of a database -> the name that it was opened with. Nothing but open() makes one, which sets it anew where another
   had this address. */
static PyObject *names;

static const struct event_row reorganize_row = {.name = "_gdbm.reorganize",
                                                .check = check_dbm,
                                                .arguments = PATH_AT(0),
                                                .words = "write a database anew"};

static PyObject *reorganize(const struct method_call *call, void *data)
{
    cleanup_py PyObject *address = PyLong_FromVoidPtr(call->self);
    PyObject *name = address != NULL ? PyDict_GetItemWithError(names, address) : NULL;
    struct facts_source source = {&name, NULL, 1};

    (void)data;
    if (PyErr_Occurred() || hook_judge(&reorganize_row, &source) < 0)
        return NULL;
    return method_call_next(call);
}

/* The module does not show the type. */
static int guard_type(PyObject *database)
{
    cleanup_py PyObject *method = PyObject_GetAttrString((PyObject *)Py_TYPE(database), "reorganize");

    if (method == NULL)
        return -1;
    if (method_patch_is_done(method, reorganize, NULL) || method_patch(method, reorganize, NULL) == 0)
        return 0;
    PyErr_SetString(PyExc_PermissionError, "safepyrun cannot guard databases of GNU dbm on this Python");
    return -1;
}

/* Of an object that is no text nothing is kept: its database is not reorganized. */
static int note_name(PyObject *database, PyObject *name)
{
    cleanup_py PyObject *address = PyLong_FromVoidPtr(database);
    bool is_text = name != NULL && (PyUnicode_CheckExact(name) || PyBytes_CheckExact(name));

    return address != NULL ? PyDict_SetItem(names, address, is_text ? name : Py_None) : -1;
}

static PyObject *open_database(const struct method_call *call, void *data)
{
    PyObject *name = method_call_argument(call, 0, "filename");
    cleanup_py PyObject *database = method_call_next(call);

    (void)data;
    if (database == NULL || guard_type(database) < 0 || note_name(database, name) < 0)
        return NULL;
    return steal(database);
}

int gdbm_guard_module(PyObject *module)
{
    cleanup_py PyObject *open = PyObject_GetAttrString(module, "open");

    if (open == NULL) {
        PyErr_Clear(); /* not filled yet: the module is seen again when it is */
        return 0;
    }
    if (names == NULL)
        names = PyDict_New();
    if (names != NULL &&
        (method_patch_is_done(open, open_database, NULL) || method_patch(open, open_database, NULL) == 0))
        return 0;
    PyErr_SetString(PyExc_ImportError, "safepyrun cannot guard databases of GNU dbm on this Python");
    return -1;
}
