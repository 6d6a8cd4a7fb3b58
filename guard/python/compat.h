/*
 * compat - what differs between the Python versions, and what the limited API lacks
 *
 * The guard is compiled once against the limited API of 3.11 and runs on 3.11 to 3.14. The few
 * functions outside that API are looked up by name when the guard starts; one that is missing is a
 * clear refusal to start, never a crash later. Not for policy: nothing here has an opinion.
 * Nobody owns anything: the table is filled once by compat_init() and only read afterwards.
 */
#pragma once

#include <Python.h>

/* As PyEval_SetTrace() wants it. */
typedef int (*compat_trace_function)(PyObject *object, PyFrameObject *frame, int event, PyObject *argument);

/* PyObjectArenaAllocator */
struct compat_arenas {
    void *context;
    void *(*take)(void *context, size_t size);
    void (*give_back)(void *context, void *arena, size_t size);
};

struct compat {
    int (*add_audit_hook)(int (*hook)(const char *event, PyObject *args, void *data), void *data);
    PyObject *(*frame_back)(PyObject *frame);                /* new, NULL at the outermost */
    PyObject *(*frame_generator)(PyObject *frame);           /* new: whose frame it is; NULL of a function's */
    PyObject *(*frame_locals)(PyObject *frame);              /* new: a dict or a proxy of one */
    PyObject *(*frame_globals)(PyObject *frame);             /* new */
    /* Of a function in Python; all borrowed, the last three may be NULL. No audit event. */
    PyObject *(*function_code)(PyObject *function);
    PyObject *(*function_globals)(PyObject *function);
    PyObject *(*function_defaults)(PyObject *function);
    PyObject *(*function_kwdefaults)(PyObject *function);
    PyObject *(*function_closure)(PyObject *function);
    PyObject *(*cell_get)(PyObject *cell);                   /* new; NULL for an empty one */
    PyTypeObject *frame_type;
    PyTypeObject *function_type;
    void (*set_trace)(compat_trace_function function, PyObject *object);
    void (*frame_locals_to_fast)(PyObject *frame, int clear); /* needed up to 3.12; may be NULL later */
    int (*audit)(const char *event, const char *format, ...);
    Py_ssize_t (*request_code_extra_index)(void (*release)(void *));
    int (*code_get_extra)(PyObject *code, Py_ssize_t index, void **ret_extra);
    int (*code_set_extra)(PyObject *code, Py_ssize_t index, void *extra);
    PyObject *(*context_var_new)(const char *name, PyObject *fallback);
    int (*context_var_get)(PyObject *variable, PyObject *fallback, PyObject **ret_value);
    PyObject *(*context_var_set)(PyObject *variable, PyObject *value);
    int (*context_var_reset)(PyObject *variable, PyObject *token);
    PyObject *(*context_new)(void);
    PyObject *(*context_copy_current)(void);
    int (*context_enter)(PyObject *context);
    int (*context_exit)(PyObject *context);
    PyObject *(*type_lookup)(PyTypeObject *type, PyObject *name); /* borrowed; NULL, without an exception, for none */
    void (*set_arenas)(struct compat_arenas *arenas); /* copied */
    int (*weakref_get_ref)(PyObject *reference, PyObject **ret_object); /* from 3.13 on; NULL before */
    PyObject *(*weakref_get_object)(PyObject *reference);               /* deprecated from then on; borrowed */
};

extern struct compat compat;

/*
 * compat_init() - find the functions in the libpython of this process
 *
 * May be called before Py_Initialize and more than once.
 *
 * ret_missing  on failure: the name of the function that this Python lacks, borrowed
 *
 * Returns 0, or -ENOSYS.
 */
int compat_init(const char **ret_missing);

/* What a weak reference or a proxy leads to: new; NULL, without an exception, when that is gone. */
PyObject *compat_referent(PyObject *reference);

/* What threading.get_ident() says. */
unsigned long compat_thread_ident(void);

/* The running Python as 0x030b0200-like hexadecimal; the headers' PY_VERSION_HEX is the build's. */
unsigned long compat_version(void);

/* True on 3.minor and later, by the running Python. */
static inline int compat_at_least(unsigned minor)
{
    return compat_version() >= (0x03000000UL | ((unsigned long)minor << 16));
}
