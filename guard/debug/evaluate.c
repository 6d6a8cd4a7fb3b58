#include "guard/debug/evaluate.h"

#include "guard/debug/deadline.h"
#include "guard/python/cell.h"
#include "guard/python/compat.h"
#include "guard/python/frame_locals.h"
#include "guard/python/py_cleanup.h"

#define FILE_NAME "<debugger>"
enum { CONDITIONS_MAX = 1000 };

static struct {
    PyObject *conditions; /* text -> code */
    PyObject *caller;     /* lambda function, arguments: function(*arguments), marked as user code */
} state;

/* Functions and comprehensions inside of an expression find globals only. */
static bool has_nested_code(PyObject *code)
{
    cleanup_py PyObject *constants = PyObject_GetAttrString(code, "co_consts");

    for (Py_ssize_t i = 0; constants != NULL && i < PyTuple_Size(constants); i++)
        if (Py_TYPE(PyTuple_GetItem(constants, i)) == Py_TYPE(code))
            return true;
    return false;
}

static PyObject *run(PyObject *code, PyObject *globals, PyObject *locals)
{
    cleanup_py PyObject *both = NULL;

    if (locals == globals || !has_nested_code(code))
        return PyEval_EvalCode(code, globals, locals);
    both = PyDict_Copy(globals);
    if (both == NULL || PyDict_Update(both, locals) < 0)
        return NULL;
    return PyEval_EvalCode(code, both, locals);
}

static PyObject *run_in(PyObject *frame, PyObject *code)
{
    cleanup_py PyObject *globals = NULL;
    cleanup_py PyObject *locals = NULL;
    PyObject *value;

    if (frame == NULL) {
        globals = cell_namespace();
        return PyEval_EvalCode(code, globals, globals);
    }
    globals = compat.frame_globals(frame);
    locals = compat.frame_locals(frame);
    if (globals == NULL || locals == NULL)
        return NULL;
    value = run(code, globals, locals);
    if (value != NULL)
        frame_locals_write_back(frame, locals);
    return value;
}

PyObject *evaluate_text(PyObject *frame, PyObject *text, bool statements)
{
    cleanup_py PyObject *code = cell_compile(text, FILE_NAME, "eval");

    if (code == NULL && statements && PyErr_ExceptionMatches(PyExc_SyntaxError)) {
        PyErr_Clear();
        code = cell_compile(text, FILE_NAME, "exec");
    }
    return code != NULL ? run_in(frame, code) : NULL;
}

/* New, or NULL. */
static PyObject *condition_code(PyObject *text)
{
    PyObject *known;
    PyObject *code;

    if (state.conditions == NULL || PyDict_Size(state.conditions) > CONDITIONS_MAX) {
        Py_CLEAR(state.conditions);
        state.conditions = PyDict_New();
    }
    known = state.conditions != NULL ? PyDict_GetItemWithError(state.conditions, text) : NULL;
    if (known != NULL || PyErr_Occurred())
        return py_own(known);
    code = cell_compile(text, FILE_NAME, "eval");
    if (code != NULL && PyDict_SetItem(state.conditions, text, code) < 0)
        Py_CLEAR(code);
    return code;
}

int evaluate_condition(PyObject *frame, PyObject *text)
{
    cleanup_py PyObject *code = condition_code(text);
    cleanup_py PyObject *value = code != NULL ? run_in(frame, code) : NULL;

    return value != NULL ? PyObject_IsTrue(value) : -1;
}

/* One that came with the last byte codes is ours, too. */
static void drop_late_interrupt(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (PyErr_CheckSignals() < 0)
        PyErr_Clear();
    PyErr_Restore(type, value, traceback);
}

PyObject *evaluate_call(PyObject *function, PyObject *arguments, long limit_ms)
{
    PyObject *result;

    if (state.caller == NULL)
        state.caller = cell_function("lambda function, arguments: function(*arguments)");
    if (state.caller == NULL)
        return NULL;
    deadline_begin(limit_ms);
    result = PyObject_CallFunctionObjArgs(state.caller, function, arguments, NULL);
    if (deadline_end())
        drop_late_interrupt();
    return result;
}
