#include "guard/python/execute.h"
#include "guard/python/attribution.h"
#include "guard/python/cell.h"
#include "guard/python/display.h"
#include "guard/python/error.h"
#include "guard/python/input.h"
#include "guard/python/interrupt.h"
#include "guard/python/json.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/reply.h"
#include "guard/python/run_answer.h"
#include "guard/python/streams.h"

/* One execute request. Everything is owned. */
struct execution {
    uint32_t cell;
    PyObject *content;
    PyObject *context;
    PyObject *source;      /* borrowed from content */
    PyObject *expressions; /* borrowed; NULL: none */
    bool silent;
    bool store_history;
    bool allow_stdin;
    bool answers; /* it has a third part: the reply tells a value (run_answer.h) */
    long count;
};

static struct {
    PyObject *shell;
    const struct execute_hooks *hooks;
    struct {
        PyObject *context;
        long count;
    } last[SHELLS_MAX]; /* of each shell */
} executing;

void execute_start(PyObject *shell, const struct execute_hooks *hooks)
{
    executing.shell = shell;
    executing.hooks = hooks;
}

long execute_count(uint32_t cell)
{
    int shell = attribution_find_shell(cell);

    return shell >= 0 ? executing.last[shell].count : 0;
}

static void execution_finish(struct execution *execution)
{
    Py_CLEAR(execution->content);
    Py_CLEAR(execution->context);
}

static int refuse_field(const char *name, const char *expected)
{
    PyErr_Format(PyExc_ValueError, "execute_request: the field \"%s\" is missing or is not %s",
                 name, expected);
    return -1;
}

static int read_bool(PyObject *content, const char *name, bool otherwise, bool *ret_value)
{
    PyObject *value = PyDict_GetItemString(content, name);

    *ret_value = otherwise;
    if (value == NULL)
        return 0;
    if (!PyBool_Check(value))
        return refuse_field(name, "true or false");
    *ret_value = value == Py_True;
    return 0;
}

static int read_context(struct execution *execution, struct bytes text)
{
    PyObject *count;

    execution->context = json_decode(text);
    if (execution->context == NULL)
        return -1;
    count = PyDict_Check(execution->context)
                ? PyDict_GetItemString(execution->context, "execution_count")
                : NULL;
    if (count == NULL || !PyLong_Check(count))
        return refuse_field("execution_count", "a number");
    execution->count = PyLong_AsLong(count);
    return PyErr_Occurred() ? -1 : 0;
}

/* Source: messaging 5.6, "Execute": only `code` is required. */
static int read_content(struct execution *execution, struct bytes text)
{
    PyObject *content = execution->content = json_decode(text);

    if (content == NULL)
        return -1;
    execution->source = PyDict_Check(content) ? PyDict_GetItemString(content, "code") : NULL;
    if (execution->source == NULL || !PyUnicode_Check(execution->source))
        return refuse_field("code", "a string");
    execution->expressions = PyDict_GetItemString(content, "user_expressions");
    if (execution->expressions == Py_None)
        execution->expressions = NULL;
    if (execution->expressions != NULL && !PyDict_Check(execution->expressions))
        return refuse_field("user_expressions", "an object");
    if (read_bool(content, "silent", false, &execution->silent) < 0 ||
        read_bool(content, "store_history", !execution->silent, &execution->store_history) < 0 ||
        read_bool(content, "allow_stdin", true, &execution->allow_stdin) < 0)
        return -1;
    if (execution->silent)
        execution->store_history = false;
    return 0;
}

static PyObject *bool_of(bool value)
{
    return value ? Py_True : Py_False;
}

void execute_set_context(PyObject *context)
{
    PyObject **place = &executing.last[attribution_shell()].context;
    PyObject *before = *place;

    *place = py_own(context);
    Py_XDECREF(before);
}

static int begin(const struct execution *execution)
{
    cleanup_py PyObject *result = NULL;

    if (attribution_begin_request(execution->cell) < 0)
        return -1;
    execute_set_context(execution->context);
    executing.last[attribution_shell()].count = execution->count;
    input_allow(execution->allow_stdin);
    if (interrupt_begin_cell() < 0)
        return -1;
    input_patch_getpass(execution->source);
    result = PyObject_CallMethod(executing.shell, "begin_cell", "OOOl", execution->source,
                                 bool_of(execution->silent), bool_of(execution->store_history),
                                 execution->count);
    return result != NULL ? 0 : -1;
}

/* What the shell does after the cell can fail too (a figure that cannot be drawn): the cell's
 * error. */
static void end(const struct execution *execution, struct cell_outcome *outcome)
{
    PyObject *value = outcome->value != NULL ? outcome->value : Py_None;
    PyObject *error = outcome->error != NULL ? outcome->error : Py_None;
    cleanup_py PyObject *result = PyObject_CallMethod(
        executing.shell, "end_cell", "OOOOO", bool_of(outcome->error == NULL), value, error,
        bool_of(execution->silent), bool_of(execution->store_history));

    if (result != NULL)
        return;
    if (outcome->error == NULL)
        outcome->error = error_take();
    else
        PyErr_Clear(); /* the first error is the one to show */
}

static void run(const struct execution *execution, struct cell_outcome *outcome)
{
    if (begin(execution) < 0) {
        *outcome = (struct cell_outcome){.error = error_take()};
        return;
    }
    bool tries = PyDict_GetItemString(execution->context, "trial") == Py_True;

    if (tries)
        executing.hooks->begin_trial();
    cell_run(execution->source, execution->silent, outcome);
    if (tries && !execution->silent)
        executing.hooks->end_trial();
    end(execution, outcome);
}

/* A method of the shell whose answer is part of the reply; `otherwise` (TAKEN) when it fails. */
static PyObject *ask_shell(const char *method, PyObject *argument, PyObject *otherwise)
{
    PyObject *answer = argument != NULL
                           ? PyObject_CallMethod(executing.shell, method, "(O)", argument)
                           : PyObject_CallMethod(executing.shell, method, NULL);

    if (answer == NULL) {
        error_print("finishing a cell");
        return otherwise;
    }
    Py_XDECREF(otherwise);
    return answer;
}

static PyObject *success_content(const struct execution *execution)
{
    cleanup_py PyObject *content = Py_BuildValue("{s:s}", "status", "ok");
    PyObject *expressions;

    if (content == NULL)
        return NULL;
    expressions = execution->expressions != NULL && PyDict_Size(execution->expressions) > 0
                      ? ask_shell("user_expressions", execution->expressions, PyDict_New())
                      : PyDict_New();
    if (py_set(content, "user_expressions", expressions) < 0)
        return NULL;
    return steal(content);
}

/* Behind the text of the exception, and as the last line of the traceback. */
static int add_explanation(uint32_t cell, PyObject *content, PyObject *error)
{
    cleanup_py PyObject *words = executing.hooks->explain(cell, error);
    PyObject *lines = PyDict_GetItemString(content, "traceback");
    PyObject *value = PyDict_GetItemString(content, "evalue");

    if (words == NULL || lines == NULL || value == NULL || !PyUnicode_Check(value))
        return 0;
    if (PyList_Append(lines, words) < 0)
        return -1;
    return py_set(
        content, "evalue",
        PyUnicode_FromFormat(PyUnicode_GetLength(value) > 0 ? "%U (%U)" : "%U%U", value, words));
}

/* Shown and replied alike; a silent request shows nothing. */
static PyObject *failure_content(const struct execution *execution, PyObject *error)
{
    cleanup_py PyObject *content = error_content(executing.shell, error);

    if (content == NULL || add_explanation(execution->cell, content, error) < 0)
        return NULL;
    /* Nobody looks at the reply for what the message does not say. str() of a run's result is still to come. */
    if (!execution->answers)
        interrupt_end_request();
    if (!execution->silent) {
        executing.hooks->before_error(execution->cell, error);
        if (display_send_for(execution->cell, FRAME_ERROR, content) < 0)
            PyErr_Clear(); /* the reply says the same */
    }
    if (py_set(content, "status", PyUnicode_FromString("error")) < 0 ||
        py_set(content, "user_expressions", PyDict_New()) < 0)
        return NULL;
    return steal(content);
}

/* str() of a result is user code and may fail: then the run has failed. */
static int add_answer(PyObject *content, const struct cell_outcome *outcome)
{
    cleanup_py PyObject *namespace = PyObject_GetAttrString(executing.shell, "namespace");

    return namespace != NULL ? py_set(content, "run",
                                      run_answer_content(namespace, outcome->value, outcome->error))
                             : -1;
}

static int take_names(struct bytes part)
{
    cleanup_py PyObject *namespace = PyObject_GetAttrString(executing.shell, "namespace");

    return namespace != NULL
               ? run_answer_take_names(namespace, part, executing.hooks->permits_name)
               : -1;
}

static void answer(const struct execution *execution, struct cell_outcome *outcome)
{
    cleanup_py PyObject *content = outcome->error != NULL
                                       ? failure_content(execution, outcome->error)
                                       : success_content(execution);

    bool is_whole = content != NULL && (!execution->answers || add_answer(content, outcome) == 0);

    if (is_whole)
        interrupt_end_request();
    if (!is_whole || py_set(content, "payload", ask_shell("take_payload", NULL, PyList_New(0))) < 0 ||
        py_set(content, "execution_count", PyLong_FromLong(execution->count)) < 0) {
        cleanup_py PyObject *exception = error_take();

        Py_XDECREF(content);
        content = exception != NULL ? reply_error_content(exception) : NULL;
    }
    executing.hooks->before_reply();
    reply_send(execution->cell, content);
}

static void refuse(struct execution *execution)
{
    cleanup_py PyObject *exception = error_take();
    cleanup_py PyObject *content = exception != NULL ? reply_error_content(exception) : NULL;

    if (content != NULL &&
        (py_set(content, "execution_count", PyLong_FromLong(execution->count)) < 0 ||
         py_set(content, "user_expressions", PyDict_New()) < 0 ||
         py_set(content, "payload", PyList_New(0)) < 0))
        PyErr_Clear(); /* an error reply needs no more than the error */
    reply_send(execution->cell, content);
}

void execute_request(const struct frame *frame)
{
    __attribute__((cleanup(execution_finish))) struct execution execution = {.cell = frame->cell};
    cleanup_outcome struct cell_outcome outcome = {.value = NULL};

    if (read_context(&execution, frame->parts[1]) < 0 ||
        read_content(&execution, frame->parts[0]) < 0 ||
        (frame->part_count == 3 && take_names(frame->parts[2]) < 0)) {
        refuse(&execution);
        return;
    }
    execution.answers = frame->part_count == 3;
    run(&execution, &outcome);
    /* A child that the cell forked has come to the end of the cell: it is no second kernel. */
    if (link_end_is_detached()) {
        streams_flush_all();
        _exit(outcome.error != NULL);
    }
    answer(&execution, &outcome);
}

static void show_nested_error(PyObject *error)
{
    cleanup_py PyObject *content = error_content(executing.shell, error);
    uint32_t cell = attribution_cell();

    if (content != NULL && attribution_is_running(cell))
        executing.hooks->before_error(cell, error);
    if (content == NULL || display_send(FRAME_ERROR, content, NULL, NULL) < 0)
        error_print("showing the error of a nested cell");
}

PyObject *execute_nested(PyObject *source, bool silent)
{
    cleanup_outcome struct cell_outcome outcome = {.value = NULL};
    PyObject *error;

    cell_run(source, silent, &outcome);
    error = outcome.error != NULL ? outcome.error : Py_None;
    /* An interrupt ends the whole request, not only the inner cell. */
    if (outcome.error != NULL && PyObject_IsInstance(outcome.error, PyExc_KeyboardInterrupt) == 1) {
        error_raise(outcome.error);
        return NULL;
    }
    if (outcome.error != NULL && !silent)
        show_nested_error(outcome.error);
    return Py_BuildValue("{s:O,s:O,s:O,s:O}", "success", bool_of(outcome.error == NULL), "result",
                         outcome.value != NULL ? outcome.value : Py_None, "error_before_exec",
                         outcome.ran ? Py_None : error, "error_in_exec",
                         outcome.ran ? error : Py_None);
}

PyObject *execute_context(void)
{
    int running = attribution_find_shell(attribution_cell());
    PyObject *context = executing.last[running >= 0 ? (unsigned)running : attribution_shell()].context;

    return context != NULL ? py_own(context) : PyDict_New();
}
