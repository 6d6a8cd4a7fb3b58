#include "guard/python/cell.h"
#include "guard/python/error.h"
#include "guard/python/event_loop.h"
#include "guard/python/program.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/wrapped.h"

#include <string.h>

static struct {
    const struct cell_hooks *hooks;
    PyObject *shell;
    PyObject *namespace;
    long future_features; /* `from __future__ import …` holds for the cells that follow */
} cells;

int cell_start(const struct cell_hooks *hooks, PyObject *shell)
{
    if (program_start() < 0)
        return -1;
    cells.hooks = hooks;
    cells.shell = shell;
    cells.namespace = PyObject_GetAttrString(shell, "namespace");
    if (cells.namespace == NULL)
        return -1;
    if (!PyDict_Check(cells.namespace)) {
        PyErr_SetString(PyExc_TypeError, "the namespace of a shell is a dict");
        return -1;
    }
    return 0;
}

bool cell_is_user_code(PyObject *code)
{
    return cells.hooks != NULL && cells.hooks->is_user_code(code); /* a host program runs no cells */
}

void cell_outcome_finish(struct cell_outcome *outcome)
{
    Py_CLEAR(outcome->value);
    Py_CLEAR(outcome->error);
}

static PyObject *compile(PyObject *source, PyObject *filename, const char *mode, long flags)
{
    PyObject *result;

    cells.hooks->begin_compiling();
    result = program_compile(source, filename, mode, flags | cells.future_features);
    cells.hooks->end_host_work();
    return result;
}

static PyObject *compile_ast(PyObject *ast, PyObject *filename, const char *mode)
{
    cleanup_py PyObject *code = compile(ast, filename, mode, 0);

    if (code == NULL || cells.hooks->compiled(code) < 0)
        return NULL;
    cells.future_features |= program_code_flags(code) & CODE_FUTURE_FEATURES;
    return steal(code);
}

/* What a cell is made of after compiling. */
struct program {
    PyObject *source;     /* transformed */
    PyObject *statements; /* code; NULL when the cell is one expression */
    PyObject *expression; /* code; NULL when the cell does not end with one */
    bool quiet;
};

static void program_finish(struct program *program)
{
    Py_CLEAR(program->source);
    Py_CLEAR(program->statements);
    Py_CLEAR(program->expression);
}

static int prepare(PyObject *text, struct program *program)
{
    cleanup_py PyObject *filename = NULL;
    cleanup_py PyObject *parsed = NULL;
    cleanup_py PyObject *module = NULL;
    cleanup_py PyObject *expression = NULL;

    program->source = PyObject_CallMethod(cells.shell, "transform", "(O)", text);
    if (program->source != NULL)
        filename = PyObject_CallMethod(cells.shell, "cell_name", "OO", program->source, text);
    if (filename == NULL || cells.hooks->named(filename, text, program->source) < 0)
        return -1;
    parsed = compile(program->source, filename, "exec", COMPILE_ONLY_AST);
    if (parsed == NULL)
        return -1;
    module = PyObject_CallMethod(cells.shell, "transform_ast", "(O)", parsed);
    if (module == NULL || cells.hooks->check(module) < 0)
        return -1;
    if (program_split(module, program->source, &expression, &program->quiet) < 0)
        return -1;
    if (expression == NULL || program_has_statements(module)) {
        program->statements = compile_ast(module, filename, "exec");
        if (program->statements == NULL)
            return -1;
    }
    if (expression != NULL)
        program->expression = compile_ast(expression, filename, "eval");
    return expression == NULL || program->expression != NULL ? 0 : -1;
}

static PyObject *evaluate_step(PyObject *code, PyObject *unused)
{
    (void)unused;
    return PyEval_EvalCode(code, cells.namespace, cells.namespace);
}

static PyMethodDef step_method = {"run", evaluate_step, METH_NOARGS, NULL};

static int add_step(PyObject *steps, PyObject *code)
{
    cleanup_py PyObject *function = NULL;
    cleanup_py PyObject *step = NULL;

    if (code == NULL)
        return 0;
    function = PyCFunction_NewEx(&step_method, code, NULL);
    if (function == NULL)
        return -1;
    step = Py_BuildValue("(OO)", function, program_is_coroutine(code) ? Py_True : Py_False);
    return step != NULL ? PyList_Append(steps, step) : -1;
}

static PyObject *run_awaiting(const struct program *program)
{
    cleanup_py PyObject *steps = PyList_New(0);

    if (steps == NULL || add_step(steps, program->statements) < 0 ||
        add_step(steps, program->expression) < 0)
        return NULL;
    return event_loop_run(steps);
}

static PyObject *run_in_order(const struct program *program)
{
    PyObject *value = NULL;

    if (program->statements != NULL) {
        value = PyEval_EvalCode(program->statements, cells.namespace, cells.namespace);
        if (value == NULL || program->expression == NULL)
            return value;
        Py_DECREF(value);
    }
    return PyEval_EvalCode(program->expression, cells.namespace, cells.namespace);
}

static PyObject *run_program(const struct program *program)
{
    PyObject *value;
    bool entered;

    if (program_is_coroutine(program->statements) || program_is_coroutine(program->expression))
        return run_awaiting(program);
    if (event_loop_enter(program->source, &entered) < 0)
        return NULL;
    value = run_in_order(program);
    if (entered)
        event_loop_leave();
    return value;
}

static int show(PyObject *value)
{
    cleanup_py PyObject *shown = PyObject_CallMethod(cells.shell, "displayhook", "(O)", value);

    return shown != NULL ? 0 : -1;
}

static int run(PyObject *source, bool silent, struct cell_outcome *outcome)
{
    __attribute__((cleanup(program_finish))) struct program program = {.source = NULL};
    cleanup_py PyObject *value = NULL;

    if (prepare(source, &program) < 0)
        return -1;
    outcome->ran = true;
    value = run_program(&program);
    if (value == NULL)
        return -1;
    if (program.expression == NULL)
        return 0;
    if (!silent && !program.quiet && show(value) < 0)
        return -1;
    outcome->value = steal(value);
    return 0;
}

void cell_run(PyObject *source, bool silent, struct cell_outcome *ret_outcome)
{
    *ret_outcome = (struct cell_outcome){.value = NULL};
    if (run(source, silent, ret_outcome) == 0)
        return;
    ret_outcome->error = error_take();
    if (ret_outcome->error == NULL)
        return;
    ret_outcome->error = wrapped_refusal(ret_outcome->error, cells.hooks->is_user_code);
    error_strip(ret_outcome->error, cells.hooks->is_user_code);
    error_shorten(ret_outcome->error);
}

PyObject *cell_compile(PyObject *source, const char *name, const char *mode)
{
    cleanup_py PyObject *filename = PyUnicode_FromString(name);
    cleanup_py PyObject *tree = NULL;
    cleanup_py PyObject *code = NULL;

    if (filename == NULL)
        return NULL;
    tree = compile(source, filename, mode, COMPILE_ONLY_AST);
    if (tree == NULL || cells.hooks->check(tree) < 0)
        return NULL;
    code = compile_ast(tree, filename, mode);
    if (code == NULL)
        return NULL;
    if (program_is_coroutine(code)) {
        PyErr_SetString(PyExc_SyntaxError, "a user expression cannot await");
        return NULL;
    }
    return steal(code);
}

PyObject *cell_evaluate(PyObject *source)
{
    cleanup_py PyObject *code = cell_compile(source, "<user expression>", "eval");

    return code != NULL ? PyEval_EvalCode(code, cells.namespace, cells.namespace) : NULL;
}

PyObject *cell_function(const char *text)
{
    cleanup_py PyObject *source = PyUnicode_FromString(text);
    cleanup_py PyObject *filename = PyUnicode_FromString("<safepyrun>");
    cleanup_py PyObject *code = NULL;
    cleanup_py PyObject *globals = PyDict_New();

    if (source == NULL || filename == NULL || globals == NULL)
        return NULL;
    code = compile(source, filename, "eval", 0);
    if (code == NULL || cells.hooks->compiled(code) < 0)
        return NULL;
    return PyEval_EvalCode(code, globals, globals);
}

PyObject *cell_namespace(void)
{
    return py_own(cells.namespace);
}

const struct cell_hooks *cell_hooks(void)
{
    return cells.hooks;
}

int cell_check(PyObject *ast)
{
    return cells.hooks->check(ast);
}
