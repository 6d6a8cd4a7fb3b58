#include "guard/audit/sqlite_guard.h"

#include "guard/audit/hook.h"
#include "guard/audit/slot_patch.h"
#include "guard/audit/sqlite_files.h"
#include "guard/python/error.h"
#include "guard/python/method_patch.h"

#define SQLITE_ATTACH_ACTION 24 /* sqlite3.h: SQLITE_ATTACH */
#define SQLITE_PRAGMA_ACTION 19 /* sqlite3.h: SQLITE_PRAGMA */
#define SQLITE_FUNCTION_ACTION 31 /* sqlite3.h: SQLITE_FUNCTION */
#define SQLITE_SAYS_OK 0
#define SQLITE_SAYS_DENY 1

/* Whoever takes the module out of sys.modules and imports it anew gets another type of connection. */
#define KINDS 16

static struct {
    struct kind {
        PyObject *type;
        PyObject *set_authorizer; /* the method of the built-in type, whatever a subclass says */
        PyObject *close;          /* the same */
        initproc init;            /* what made a connection ready before we came */
        bool has_guarded_files;   /* before that nobody has a connection */
    } kinds[KINDS];
    size_t count;
    PyObject *authorizer;
} state;

static const struct event_row attach_row = {.name = "sqlite3.attach",
                                            .check = check_attach,
                                            .arguments = PATH_AT(0),
                                            .words = "open a database"};
static const struct event_row pragma_row = {.name = "sqlite3.pragma",
                                            .check = check_pragma,
                                            .arguments = NAME_ONLY(0),
                                            .words = "set a pragma of a database"};
static const struct event_row function_row = {.name = "sqlite3.function",
                                              .check = check_sqlite_function,
                                              .arguments = NAME_ONLY(0),
                                              .words = "call a function of SQLite"};
static const struct event_row authorizer_row = {.name = "sqlite3.set_authorizer",
                                                .check = check_never,
                                                .arguments = NOTHING,
                                                .words = "replace the guard of a database"};

static const struct event_row *row_of(long action)
{
    return action == SQLITE_ATTACH_ACTION     ? &attach_row
           : action == SQLITE_PRAGMA_ACTION   ? &pragma_row
           : action == SQLITE_FUNCTION_ACTION ? &function_row
                                              : NULL;
}

/* (action, first argument, second, database, trigger): the first is the file's name of an ATTACH, the
   name of a PRAGMA; the second is that of a function. */
static PyObject *authorize(PyObject *self, PyObject *args)
{
    const struct event_row *row = row_of(PyLong_AsLong(PyTuple_GetItem(args, 0)));
    PyObject *subject = PyTuple_GetItem(args, row == &function_row ? 2 : 1);
    struct facts_source source = {&subject, NULL, 1};

    (void)self;
    if (row == NULL || hook_judge(row, &source) == 0)
        return PyLong_FromLong(SQLITE_SAYS_OK);
    PyErr_Clear(); /* on record already; sqlite3 would print it as unraisable */
    return PyLong_FromLong(SQLITE_SAYS_DENY);
}

static PyMethodDef authorizer_definition = {"authorizer", authorize, METH_VARARGS, NULL};

static PyObject *refuse_authorizer(const struct method_call *call, void *data)
{
    (void)data;
    /* Ours is an object that no cell can reach. */
    if (method_call_argument(call, 0, "authorizer_callback") != state.authorizer &&
        hook_judge(&authorizer_row, NULL) < 0)
        return NULL;
    return method_call_next(call);
}

/* The event shows a path object as it is, whose text could change after the check: ask for the text
   once, before, and go on with that. */
static PyObject *with_plain_path(PyObject *args)
{
    PyObject *first = PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : NULL;
    cleanup_py PyObject *path = NULL;
    PyObject *plain;

    if (first == NULL || PyUnicode_Check(first) || PyBytes_Check(first) ||
        !PyObject_HasAttrString(first, "__fspath__"))
        return py_own(args);
    path = PyOS_FSPath(first);
    plain = path != NULL ? PyTuple_New(PyTuple_Size(args)) : NULL;
    for (Py_ssize_t i = 0; plain != NULL && i < PyTuple_Size(args); i++)
        PyTuple_SetItem(plain, i, py_own(i == 0 ? path : PyTuple_GetItem(args, i)));
    return plain;
}

static const struct kind *kind_of_type(PyObject *type)
{
    for (size_t i = 0; i < state.count; i++)
        if (state.kinds[i].type == type)
            return &state.kinds[i];
    return NULL;
}

static const struct kind *kind_of(PyObject *connection)
{
    for (size_t i = 0; i < state.count; i++)
        if (PyType_IsSubtype(Py_TYPE(connection), (PyTypeObject *)state.kinds[i].type))
            return &state.kinds[i];
    return NULL;
}

/* Without an authorizer it is not to be used, whoever kept it. */
static int close_unguarded(const struct kind *kind, PyObject *connection)
{
    cleanup_py PyObject *error = error_take();
    cleanup_py PyObject *closed = PyObject_CallFunctionObjArgs(kind->close, connection, NULL);

    error_raise(error);
    return -1;
}

/* From 3.12 on a connection can begin a transaction while it is made ready, and lets other threads run meanwhile, which may have it
   already: before it is guarded. So it begins one afterwards. NULL: an exception is set. */
static PyObject *without_autocommit(PyObject *keywords, PyObject **ret_autocommit)
{
    PyObject *rest = PyDict_New();
    PyObject *key;
    PyObject *value;
    Py_ssize_t at = 0;

    while (rest != NULL && keywords != NULL && PyDict_Next(keywords, &at, &key, &value)) {
        if (!PyUnicode_CheckExact(key)) { /* it says itself what it is equal to */
            PyErr_SetString(PyExc_TypeError, "keywords must be plain strings");
            Py_CLEAR(rest);
        } else if (PyUnicode_CompareWithASCIIString(key, "autocommit") == 0) {
            *ret_autocommit = py_own(value);
        } else if (PyDict_SetItem(rest, key, value) < 0) {
            Py_CLEAR(rest);
        }
    }
    return rest;
}

/* By the descriptor of the built-in type, whatever a subclass says. */
static int set_autocommit(const struct kind *kind, PyObject *connection, PyObject *value)
{
    cleanup_py PyObject *attribute = PyObject_GetAttrString(kind->type, "autocommit");
    cleanup_py PyObject *done =
        attribute != NULL ? PyObject_CallMethod(attribute, "__set__", "OO", connection, value) : NULL;

    return done != NULL ? 0 : -1;
}

static int begin_guarded(const struct kind *kind, PyObject *connection, PyObject *args, PyObject *keywords)
{
    cleanup_py PyObject *autocommit = NULL;
    cleanup_py PyObject *rest = without_autocommit(keywords, &autocommit);
    cleanup_py PyObject *result = NULL;

    if (rest == NULL || kind->init(connection, args, rest) < 0)
        return -1;
    result = PyObject_CallFunctionObjArgs(kind->set_authorizer, connection, state.authorizer, NULL);
    if (result == NULL || (autocommit != NULL && set_autocommit(kind, connection, autocommit) < 0))
        return close_unguarded(kind, connection);
    return 0;
}

/* No event comes when a connection is ready: "sqlite3.connect/handle" is raised a moment before. */
static int connection_init(PyObject *connection, PyObject *args, PyObject *keywords)
{
    cleanup_py PyObject *plain = with_plain_path(args);
    const struct kind *kind = kind_of(connection);

    if (kind == NULL) {
        PyErr_SetString(PyExc_PermissionError, "safepyrun does not know this kind of connection");
        return -1;
    }
    if (!kind->has_guarded_files) {
        PyErr_SetString(PyExc_PermissionError, "safepyrun guards sqlite3 first: it is just being loaded");
        return -1;
    }
    if (plain == NULL)
        return -1;
    return scope_current() != NULL ? begin_guarded(kind, connection, plain, keywords)
                                   : kind->init(connection, plain, keywords);
}

/* A first connection, in memory, shows how SQLite reaches files. Opening it lets other threads run, which may have found the type:
   so the type is guarded before, and makes no other connection until this is done. */
static int guard_files(struct kind *kind)
{
    cleanup_py PyObject *args = Py_BuildValue("(s)", ":memory:");
    cleanup_py PyObject *connection = PyType_GenericNew((PyTypeObject *)kind->type, NULL, NULL);
    cleanup_py PyObject *closed = NULL;

    if (args == NULL || connection == NULL || kind->init(connection, args, NULL) < 0 ||
        sqlite_files_guard(connection) < 0)
        return -1;
    closed = PyObject_CallFunctionObjArgs(kind->close, connection, NULL);
    kind->has_guarded_files = closed != NULL;
    return closed != NULL ? 0 : -1;
}

/* A convention that cannot be patched leaves the authorizer replaceable: then no sqlite3. The types of one module
   share the definition of the method; a package that brings another SQLite has one of its own. */
static int guard_method(PyObject *set_authorizer)
{
    for (size_t i = 0; i < state.count; i++)
        if (method_patch_same(state.kinds[i].set_authorizer, set_authorizer))
            return 0;
    return method_patch(set_authorizer, refuse_authorizer, NULL) == 0 ? 0 : -1;
}

static int guard_connections(PyObject *type)
{
    PyObject *set_authorizer = PyObject_GetAttrString(type, "set_authorizer");
    PyObject *close = PyObject_GetAttrString(type, "close");
    struct kind *kind = &state.kinds[state.count];
    void *init;

    if (state.authorizer == NULL)
        state.authorizer = PyCFunction_NewEx(&authorizer_definition, NULL, NULL);
    if (set_authorizer == NULL || close == NULL || state.authorizer == NULL || state.count == KINDS ||
        guard_method(set_authorizer) < 0 || slot_patch(type, SLOT_INIT, (void *)connection_init, &init) < 0 ||
        (initproc)init == connection_init)
        return -1;
    *kind = (struct kind){.type = py_own(type), .set_authorizer = set_authorizer, .close = close, .init = (initproc)init};
    state.count++;
    return guard_files(kind);
}

int sqlite_guard_module(PyObject *module)
{
    cleanup_py PyObject *connection = PyObject_GetAttrString(module, "Connection");
    const struct kind *kind;

    if (connection == NULL) {
        PyErr_Clear(); /* not filled yet: the module is seen again when it is */
        return 0;
    }
    kind = kind_of_type(connection);
    if (kind != NULL ? kind->has_guarded_files : guard_connections(connection) == 0)
        return 0;
    PyErr_SetString(PyExc_ImportError, "safepyrun cannot guard sqlite3.Connection");
    return -1;
}
