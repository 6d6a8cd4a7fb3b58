#include "guard/limit_note.h"

#include "guard/audit/audit.h"
#include "guard/policy/env_names.h"
#include "guard/python/py_cleanup.h"

#include <errno.h>
#include <netdb.h>

enum { CHAIN_MAX = 8 }; /* exceptions behind one another */

/* The number is read from the exception's own slot: a class of the cell may define anything else. */
static long number_of(PyObject *error)
{
    cleanup_py PyObject *get = PyObject_GetAttrString(PyExc_OSError, "errno");
    cleanup_py PyObject *number =
        get != NULL ? PyObject_CallMethod(get, "__get__", "O", error) : NULL;
    long value = number != NULL && PyLong_CheckExact(number) ? PyLong_AsLong(number) : 0;

    PyErr_Clear(); /* no number is no hint */
    return value;
}

static bool is_instance(PyObject *error, PyObject *type)
{
    return PyType_IsSubtype(Py_TYPE(error), (PyTypeObject *)type) != 0;
}

/* polars and DuckDB keep the words of the system and not its number. What an exception was made from is read from
   its own slot, as above. */
static bool says(PyObject *error, const char *wanted)
{
    cleanup_py PyObject *get = PyObject_GetAttrString(PyExc_BaseException, "args");
    cleanup_py PyObject *args = get != NULL ? PyObject_CallMethod(get, "__get__", "O", error) : NULL;
    PyObject *text = args != NULL && PyTuple_CheckExact(args) && PyTuple_Size(args) > 0
                         ? PyTuple_GetItem(args, 0)
                         : NULL;
    cleanup_py PyObject *words = PyUnicode_FromString(wanted);
    bool fits = text != NULL && PyUnicode_CheckExact(text) && words != NULL &&
                PyUnicode_Contains(text, words) == 1;

    PyErr_Clear(); /* no text is no hint */
    return fits;
}

/* The C library has no connection to ask for an address with, and calls that temporary. */
static bool is_about_host_names(PyObject *error)
{
    static const char *const words[] = {"lookup address information", "name resolution", "resolve host"};
    long number = is_instance(error, PyExc_OSError) ? number_of(error) : 0;

    if (number == EAI_AGAIN || number == EAI_NONAME || number == EAI_FAIL)
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (says(error, words[i]))
            return true;
    return false;
}

static bool is_about_threads(PyObject *error)
{
    cleanup_py PyObject *text =
        Py_TYPE(error) == (PyTypeObject *)PyExc_RuntimeError ? PyObject_Str(error) : NULL;
    bool fits = text != NULL &&
                PyUnicode_CompareWithASCIIString(text, "can't start new thread") == 0;

    PyErr_Clear();
    return fits;
}

static PyObject *note(const char *name, long value)
{
    return value != 0 ? PyUnicode_FromFormat("[limits] %s = %ld", name, value) : NULL;
}

static PyObject *note_of_tasks(const struct policy_limits *limits)
{
    if (limits->memory_limit_mb != 0 && limits->processes != 0)
        return PyUnicode_FromFormat("[limits] processes = %ld, memory_limit_mb = %ld",
                                    limits->processes, limits->memory_limit_mb);
    return limits->processes != 0 ? note("processes", limits->processes)
                                  : note("memory_limit_mb", limits->memory_limit_mb);
}

static PyObject *note_of_number(const struct policy_limits *limits, long number)
{
    switch (number) {
    case ENOMEM:
        return note("memory_limit_mb", limits->memory_limit_mb);
    case EMFILE:
        return note("open_files", limits->open_files);
    case EFBIG:
        return note("max_write_mb", limits->max_write_mb);
    case EAGAIN:
        return note("processes", limits->processes);
    default:
        return NULL;
    }
}

/* Native code (pyarrow, DuckDB) raises no audit event, so that nobody but the system has refused it. */
static PyObject *note_of_roots(const struct policy *policy)
{
    char roots[256];

    if (policy->write_roots == NULL)
        return NULL;
    write_roots_describe(policy->write_roots, roots, sizeof(roots));
    return PyUnicode_FromFormat("ok_dests: files outside of the write roots (%s) are read-only", roots);
}

/* Of native code, and of everything under the preset open. Files have reasons of their own for it, hence "may". */
static PyObject *note_of_ring(const struct policy *policy)
{
    return policy->os_ring != POLICY_OS_RING_OFF
               ? PyUnicode_FromString("os_ring may be why: it refuses programs, connections and what reaches "
                                      "other processes")
               : NULL;
}

/* Whether os.environ[…] has raised this: the same name may be missing in any other dict. */
static bool is_of_environment(PyObject *error)
{
    cleanup_py PyObject *at = PyException_GetTraceback(error);
    cleanup_py PyObject *frame = NULL;
    cleanup_py PyObject *code = NULL;
    cleanup_py PyObject *name = NULL;
    bool fits;

    while (at != NULL && at != Py_None) {
        PyObject *next = PyObject_GetAttrString(at, "tb_next");

        Py_XDECREF(frame);
        frame = PyObject_GetAttrString(at, "tb_frame");
        Py_DECREF(at);
        at = next;
    }
    code = frame != NULL ? PyObject_GetAttrString(frame, "f_code") : NULL;
    name = code != NULL ? PyObject_GetAttrString(code, "co_qualname") : NULL;
    fits = name != NULL && PyUnicode_CompareWithASCIIString(name, "_Environ.__getitem__") == 0;
    PyErr_Clear(); /* no traceback is no hint */
    return fits;
}

/* Judged by the name alone: that a secret is there is not told. */
static PyObject *note_of_environment(PyObject *error)
{
    cleanup_py PyObject *args = PyObject_GetAttrString(error, "args");
    PyObject *name = args != NULL && PyTuple_CheckExact(args) && PyTuple_Size(args) == 1 ? PyTuple_GetItem(args, 0)
                                                                                         : NULL;
    const char *text = name != NULL && PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;

    PyErr_Clear(); /* as above */
    if (text == NULL || !env_names_hide(audit_policy(), text, "") || !is_of_environment(error))
        return NULL;
    return PyUnicode_FromString("[env] may be why: of the variables that look like secrets cells see those that env.pass "
                                "names, and none that env.hide names");
}

static PyObject *note_of_network(const struct policy *policy)
{
    if (policy->os_ring == POLICY_OS_RING_OFF)
        return NULL;
    return policy->network_allow.count > 0
               ? PyUnicode_FromString("network.allow may be why: names of other hosts are not looked up")
               : PyUnicode_FromString("os_ring may be why: nothing is reached but what network.allow lists in the "
                                      "policy file");
}

/* A library puts its own error before the system's ("Max retries exceeded"). */
static PyObject *note_of_connection(PyObject *error)
{
    PyObject *at = py_own(error);
    PyObject *found = NULL;

    for (int left = CHAIN_MAX; at != NULL && found == NULL && left > 0 && PyExceptionInstance_Check(at); left--) {
        PyObject *next = PyException_GetCause(at);

        if (is_about_host_names(at))
            found = note_of_network(audit_policy());
        else if (is_instance(at, PyExc_OSError) && number_of(at) == EPERM)
            found = note_of_ring(audit_policy());
        if (next == NULL)
            next = PyException_GetContext(at);
        Py_DECREF(at);
        at = next;
    }
    Py_XDECREF(at);
    return found;
}

static PyObject *note_of_limit(PyObject *error)
{
    const struct policy_limits *limits = &audit_policy()->limits;

    if ((PyObject *)Py_TYPE(error) == PyExc_KeyError)
        return note_of_environment(error);
    if (is_instance(error, PyExc_MemoryError))
        return note("memory_limit_mb", limits->memory_limit_mb);
    if ((is_instance(error, PyExc_OSError) && number_of(error) == EROFS) || says(error, "Read-only file system"))
        return note_of_roots(audit_policy());
    if (is_instance(error, PyExc_OSError))
        return note_of_number(limits, number_of(error));
    return is_about_threads(error) ? note_of_tasks(limits) : NULL;
}

PyObject *limit_note(PyObject *error)
{
    PyObject *words = note_of_limit(error);

    return words != NULL || PyErr_Occurred() != NULL ? words : note_of_connection(error);
}
