#include "guard/hosts/run_parts.h"

#include "guard/audit/audit.h"
#include "guard/audit/caller.h"
#include "guard/audit/native_calls.h"
#include "guard/hosts/host_options.h"
#include "guard/hosts/seal.h"
#include "guard/python/error.h"
#include "guard/python/program.h"
#include "guard/python/wrapped.h"
#include "guard/rules/rules.h"

/* ---- before it runs ------------------------------------------------------------------------- */

static PyObject *compile(PyObject *source, PyObject *filename, const char *mode, long flags)
{
    PyObject *result;

    audit_begin_compiling();
    result = program_compile(source, filename, mode, flags);
    audit_end_host_work();
    return result;
}

static PyObject *compile_and_mark(struct run *run, PyObject *tree, PyObject *filename,
                                  const char *mode)
{
    cleanup_py PyObject *code = compile(tree, filename, mode, 0);

    if (code == NULL || caller_mark_user(run->runner->scope, code) < 0 ||
        (run->runner->scope->monitors && native_calls_watch(code) < 0))
        return NULL;
    return steal(code);
}

static int prepare(struct run *run)
{
    const struct policy *policy = run->runner->scope->policy;
    cleanup_py PyObject *filename = NULL;
    cleanup_py PyObject *module = NULL;
    cleanup_py PyObject *expression = NULL;
    bool quiet;

    filename = PyObject_CallFunctionObjArgs(run->runner->glue->name_source, run->source, NULL);
    if (filename == NULL)
        return -1;
    module = compile(run->source, filename, "exec", COMPILE_ONLY_AST);
    if (module == NULL || rules_check(policy, module) < 0 ||
        program_split(module, run->source, &expression, &quiet) < 0)
        return -1;
    if (expression == NULL || program_has_statements(module)) {
        run->statements = compile_and_mark(run, module, filename, "exec");
        if (run->statements == NULL)
            return -1;
    }
    if (expression != NULL)
        run->expression = compile_and_mark(run, expression, filename, "eval");
    return expression == NULL || run->expression != NULL ? 0 : -1;
}

static int begin(struct run *run)
{
    struct runner *runner = run->runner;

    if (host_options_refuse_inside(runner->scope, "safepyrun.enter", "enter another guard") < 0 ||
        prepare(run) < 0 || (runner->scope->monitors && native_calls_restart() < 0))
        return -1;
    if (seal_begin() < 0)
        return -1;
    run->began = true;
    if (namespace_begin(&runner->space, &run->names) < 0)
        return -1;
    run->entry = scope_entry_new(runner->scope);
    if (run->entry != NULL && runner->captures)
        run->capture = PyObject_CallFunctionObjArgs(runner->glue->make_capture, NULL);
    return run->entry != NULL && (!runner->captures || run->capture != NULL) ? 0 : -1;
}

/* ---- under the scope ------------------------------------------------------------------------ */

struct window {
    PyObject *token;
    bool captures;
};

static int open_window(struct run *run, struct window *window)
{
    *window = (struct window){.captures = false};
    if (run->capture != NULL) {
        cleanup_py PyObject *entered = PyObject_CallMethod(run->capture, "enter", NULL);

        if (entered == NULL)
            return -1;
        window->captures = true;
    }
    return scope_set(run->entry, &window->token);
}

/* Whatever the step left behind stays: an exception of its own is lost only to a worse one. */
static int close_window(struct run *run, struct window *window)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    int status = 0;

    PyErr_Fetch(&type, &value, &traceback);
    if (window->token != NULL)
        status = scope_reset(window->token);
    if (window->captures) {
        cleanup_py PyObject *left = PyObject_CallMethod(run->capture, "leave", NULL);

        if (left == NULL)
            status = -1;
    }
    if (status == 0) {
        PyErr_Restore(type, value, traceback);
        return 0;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return -1;
}

static PyObject *evaluate(struct run *run, PyObject *code)
{
    struct window window;
    PyObject *value = NULL;

    if (open_window(run, &window) == 0)
        value = PyEval_EvalCode(code, run->names.inner, run->names.inner);
    if (close_window(run, &window) == 0)
        return value;
    Py_XDECREF(value);
    return NULL;
}

/* What `await value` asks for the next step; NULL without an exception: it cannot be awaited. */
static PyObject *iterator_of(struct run *run, PyObject *value)
{
    unaryfunc await = (unaryfunc)PyType_GetSlot(Py_TYPE(value), Py_am_await);
    struct window window;
    PyObject *iterator = NULL;

    if (await == NULL)
        return NULL;
    if (open_window(run, &window) == 0)
        iterator = await(value);
    if (close_window(run, &window) == 0)
        return iterator;
    Py_XDECREF(iterator);
    return NULL;
}

/* A coroutine is thrown into through its method, which says "returned" by StopIteration. */
static PySendResult result_of_call(PyObject *result, PyObject **ret_value)
{
    cleanup_py PyObject *stop = NULL;

    *ret_value = result;
    if (result != NULL)
        return PYGEN_NEXT;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return PYGEN_ERROR;
    stop = error_take();
    *ret_value = PyObject_GetAttrString(stop, "value");
    return *ret_value != NULL ? PYGEN_RETURN : PYGEN_ERROR;
}

/* input NULL: the exception that is set is thrown in. */
static PySendResult drive_once(PyObject *awaiting, PyObject *input, PyObject **ret_value)
{
    cleanup_py PyObject *exception = NULL;

    if (input != NULL)
        return PyIter_Send(awaiting, input, ret_value);
    exception = error_take();
    if (!PyObject_HasAttrString(awaiting, "throw")) {
        error_raise(exception);
        *ret_value = NULL;
        return PYGEN_ERROR;
    }
    return result_of_call(PyObject_CallMethod(awaiting, "throw", "O", exception), ret_value);
}

static PySendResult drive(struct run *run, PyObject *input, PyObject **ret_value)
{
    struct window window;
    PySendResult result;
    cleanup_py PyObject *thrown = NULL;

    *ret_value = NULL;
    if (run->stage == STAGE_BACKGROUND)
        return drive_once(run->awaiting, input, ret_value);
    if (input == NULL)
        thrown = error_take();
    if (open_window(run, &window) < 0) {
        result = PYGEN_ERROR;
    } else {
        if (thrown != NULL)
            error_raise(thrown);
        result = drive_once(run->awaiting, input, ret_value);
    }
    if (close_window(run, &window) == 0)
        return result;
    Py_CLEAR(*ret_value);
    return PYGEN_ERROR;
}

/* ---- stages --------------------------------------------------------------------------------- */

/* value: TAKEN. The old one may be the last of its kind: it goes when the new one is in place. */
static void set_value(struct run *run, PyObject *value)
{
    PyObject *old = run->value;

    run->value = value;
    Py_XDECREF(old);
}

/* Runs code; what has to be awaited is left in run->awaiting. 0 or -1 with an exception. */
static int run_code(struct run *run, PyObject *code)
{
    PyObject *value = evaluate(run, code);

    if (value == NULL)
        return -1;
    if (program_is_coroutine(code))
        run->awaiting = value;
    else
        set_value(run, value);
    return 0;
}

/* value: TAKEN; of the statements and of the tasks nobody wants it. */
static void take_value(struct run *run, PyObject *value)
{
    if (run->stage == STAGE_STATEMENTS || run->stage == STAGE_BACKGROUND)
        Py_DECREF(value);
    else
        set_value(run, value);
}

/* A context keeps what was set in it, and a task its context. To look through all tasks of a server takes a while. */
static bool may_have_tasks(const struct run *run)
{
    return run->entry != NULL && Py_REFCNT(run->entry) != 1;
}

static int begin_background(struct run *run)
{
    if (!may_have_tasks(run))
        return 0;
    run->awaiting =
        PyObject_CallFunctionObjArgs(run->runner->glue->wait_for_tasks, run->entry, NULL);
    if (run->awaiting == Py_None)
        Py_CLEAR(run->awaiting);
    return PyErr_Occurred() ? -1 : 0;
}

/* The next stage, as far as it goes without waiting. 0 or -1 with an exception. */
static int advance(struct run *run)
{
    switch (run->stage++) {
    case STAGE_NEW:
        if (begin(run) < 0)
            return -1;
        return run->statements != NULL ? run_code(run, run->statements) : 0;
    case STAGE_STATEMENTS:
        Py_CLEAR(run->value);
        return run->expression != NULL ? run_code(run, run->expression) : 0;
    case STAGE_EXPRESSION:
        if (run->value != NULL)
            run->awaiting = iterator_of(run, run->value);
        return PyErr_Occurred() ? -1 : 0;
    case STAGE_VALUE:
        return begin_background(run);
    default:
        return 0;
    }
}

int run_end(struct run *run, bool done)
{
    int status = 0;

    if (run->began) {
        run->began = false;
        status = namespace_end(&run->runner->space, &run->names, done);
        if (seal_end() < 0)
            status = -1;
    }
    Py_CLEAR(run->awaiting);
    Py_CLEAR(run->statements);
    Py_CLEAR(run->expression);
    Py_CLEAR(run->entry);
    return status;
}

static PyObject *finish_capture(struct run *run)
{
    cleanup_py PyObject *capture = steal(run->capture);

    return capture != NULL ? PyObject_CallMethod(capture, "finish", NULL) : py_own(Py_None);
}

/* {"result": …, "stdout": …, "stderr": …}, without what is empty. */
static PyObject *with_streams(PyObject *value, PyObject *texts)
{
    cleanup_py PyObject *result = PyDict_New();

    if (result == NULL || PyDict_SetItemString(result, "result", value) < 0 ||
        PyDict_Update(result, texts) < 0)
        return NULL;
    return steal(result);
}

static PyObject *take_result(struct run *run)
{
    cleanup_py PyObject *value = run->value != NULL ? steal(run->value) : py_own(Py_None);
    cleanup_py PyObject *texts = NULL;

    run->stage = STAGE_DONE;
    if (run_end(run, true) < 0)
        return NULL;
    texts = finish_capture(run);
    if (texts == NULL)
        return NULL;
    return texts != Py_None ? with_streams(value, texts) : steal(value);
}

/* As the host sees it: it begins in the cell, and is the refusal when there is one inside. */
static void fail(struct run *run)
{
    const struct scope_entry *entry = run->entry != NULL ? scope_entry_of(run->entry) : NULL;
    cleanup_free char *refused = entry != NULL && entry->refused != NULL ? xstrdup(entry->refused) : NULL;
    PyObject *error = error_take();
    cleanup_py PyObject *texts = NULL;

    run->stage = STAGE_DONE;
    if (may_have_tasks(run))
        Py_XDECREF(PyObject_CallFunctionObjArgs(run->runner->glue->cancel_tasks, run->entry, NULL));
    PyErr_Clear();
    run_end(run, false);
    PyErr_Clear(); /* the first error is the one to tell */
    texts = finish_capture(run);
    PyErr_Clear();
    if (error == NULL)
        return;
    error = wrapped_refusal(error, audit_is_user_code);
    wrapped_tell(error, refused);
    error_strip(error, audit_is_user_code);
    error_raise(error);
    Py_DECREF(error);
}

static PySendResult step_on(struct run *run, PyObject *input, PyObject **ret_value)
{
    if (input == NULL && run->awaiting == NULL)
        return PYGEN_ERROR; /* thrown into before it began: the exception stays as it is */
    while (run->stage != STAGE_DONE) {
        PySendResult result = PYGEN_RETURN;

        if (run->awaiting != NULL) {
            result = drive(run, input, ret_value);
            input = Py_None;
            if (result == PYGEN_NEXT)
                return PYGEN_NEXT;
            Py_CLEAR(run->awaiting);
            if (result == PYGEN_RETURN)
                take_value(run, steal(*ret_value));
        }
        if (result == PYGEN_ERROR || (run->stage < STAGE_BACKGROUND && advance(run) < 0)) {
            fail(run);
            return PYGEN_ERROR;
        }
        if (run->awaiting == NULL && run->stage == STAGE_BACKGROUND) {
            *ret_value = take_result(run);
            return *ret_value != NULL ? PYGEN_RETURN : PYGEN_ERROR;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited RunPython call");
    return PYGEN_ERROR;
}

PySendResult run_step(struct run *run, PyObject *input, PyObject **ret_value)
{
    PySendResult result;

    *ret_value = NULL;
    if (run->is_running) { /* a cell that found the call it is part of */
        PyErr_SetString(PyExc_ValueError, "this call is running already");
        return PYGEN_ERROR;
    }
    run->is_running = true;
    result = step_on(run, input, ret_value);
    run->is_running = false;
    return result;
}
