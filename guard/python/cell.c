#include "guard/python/cell.h"
#include "guard/python/error.h"
#include "guard/python/event_loop.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/wrapped.h"

#include <string.h>

/* Of CPython's compile.h and code.h, which the limited API leaves out; the same from 3.11 to 3.14.
 */
enum {
    COMPILE_ONLY_AST = 0x0400,
    COMPILE_TOP_LEVEL_AWAIT = 0x2000,
    CODE_IS_COROUTINE = 0x0080,
    CODE_FUTURE_FEATURES = 0x1fe0000,
};

static struct {
    const struct cell_hooks *hooks;
    PyObject *shell;
    PyObject *namespace;
    PyObject *compile;         /* builtins.compile as it was at start */
    PyObject *expression_type; /* _ast.Expression, _ast.Expr */
    PyObject *statement_type;
    long future_features; /* `from __future__ import …` holds for the cells that follow */
} cells;

int cell_start(const struct cell_hooks *hooks, PyObject *shell)
{
    cleanup_py PyObject *builtins = PyImport_ImportModule("builtins");
    cleanup_py PyObject *ast = PyImport_ImportModule("_ast");

    if (builtins == NULL || ast == NULL)
        return -1;
    cells.hooks = hooks;
    cells.shell = shell;
    cells.namespace = PyObject_GetAttrString(shell, "namespace");
    cells.compile = PyObject_GetAttrString(builtins, "compile");
    cells.expression_type = PyObject_GetAttrString(ast, "Expression");
    cells.statement_type = PyObject_GetAttrString(ast, "Expr");
    if (cells.namespace == NULL || cells.compile == NULL || cells.expression_type == NULL ||
        cells.statement_type == NULL)
        return -1;
    if (!PyDict_Check(cells.namespace)) {
        PyErr_SetString(PyExc_TypeError, "the namespace of a shell is a dict");
        return -1;
    }
    return 0;
}

void cell_outcome_finish(struct cell_outcome *outcome)
{
    Py_CLEAR(outcome->value);
    Py_CLEAR(outcome->error);
}

/* Cells compile with features of their own, never with those of whoever calls. */
static PyObject *compile(PyObject *source, PyObject *filename, const char *mode, long flags)
{
    PyObject *result;

    cells.hooks->begin_host_work();
    result = PyObject_CallFunction(cells.compile, "OOsli", source, filename, mode,
                                   flags | COMPILE_TOP_LEVEL_AWAIT | cells.future_features, 1);
    cells.hooks->end_host_work();
    return result;
}

static long code_flags(PyObject *code)
{
    cleanup_py PyObject *flags = PyObject_GetAttrString(code, "co_flags");
    long value = flags != NULL ? PyLong_AsLong(flags) : 0;

    PyErr_Clear(); /* a code object has them */
    return value;
}

static PyObject *compile_ast(PyObject *ast, PyObject *filename, const char *mode)
{
    cleanup_py PyObject *code = compile(ast, filename, mode, 0);

    if (code == NULL || cells.hooks->compiled(code) < 0)
        return NULL;
    cells.future_features |= code_flags(code) & CODE_FUTURE_FEATURES;
    return steal(code);
}

static long attribute_as_long(PyObject *object, const char *name)
{
    cleanup_py PyObject *value = PyObject_GetAttrString(object, name);
    long number = value != NULL ? PyLong_AsLong(value) : -1;

    PyErr_Clear(); /* -1 says so */
    return number;
}

/* Where line `line` (from 1) begins; NULL when the text has fewer. */
static const char *find_line(const char *text, long line)
{
    for (long i = 1; i < line && text != NULL; i++) {
        text = strchr(text, '\n');
        if (text != NULL)
            text++;
    }
    return text;
}

/* A semicolon behind the last expression keeps its value quiet. The node ends before closing
   parentheses and comments, so these are passed over. */
static bool ends_with_semicolon(PyObject *source, PyObject *statement)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(source, &size);
    long column = attribute_as_long(statement, "end_col_offset");
    const char *at =
        text != NULL ? find_line(text, attribute_as_long(statement, "end_lineno")) : NULL;

    PyErr_Clear(); /* text that is no UTF-8 was refused by the compiler before */
    if (at == NULL || column < 0 || column > text + size - at)
        return false;
    for (at += column; *at != '\0'; at++) {
        if (*at == '#') {
            at += strcspn(at, "\n");
            if (*at == '\0')
                return false;
        } else if (*at == ';') {
            return true;
        } else if (strchr(" \t\f\r\n\\)", *at) == NULL) {
            return false;
        }
    }
    return false;
}

/*
 * Takes the last statement out of the module when it is an expression, as an ast.Expression.
 * Returns 0 (ret_expression NULL: there is none), or -1 with an exception.
 */
static int split_last_expression(PyObject *module, PyObject *source, PyObject **ret_expression,
                                 bool *ret_quiet)
{
    cleanup_py PyObject *body = PyObject_GetAttrString(module, "body");
    cleanup_py PyObject *last = NULL;
    cleanup_py PyObject *value = NULL;
    Py_ssize_t count = body != NULL ? PyList_Size(body) : -1;

    *ret_expression = NULL;
    if (count <= 0)
        return count < 0 ? -1 : 0;
    last = py_own(PyList_GetItem(body, count - 1));
    if ((PyObject *)Py_TYPE(last) != cells.statement_type)
        return 0;
    value = PyObject_GetAttrString(last, "value");
    if (value == NULL || PySequence_DelItem(body, count - 1) < 0)
        return -1;
    *ret_quiet = ends_with_semicolon(source, last);
    *ret_expression = PyObject_CallFunctionObjArgs(cells.expression_type, value, NULL);
    return *ret_expression != NULL ? 0 : -1;
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

static bool has_statements(PyObject *module)
{
    cleanup_py PyObject *body = PyObject_GetAttrString(module, "body");

    return body != NULL && PyList_Size(body) > 0;
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
    if (filename == NULL)
        return -1;
    parsed = compile(program->source, filename, "exec", COMPILE_ONLY_AST);
    if (parsed == NULL)
        return -1;
    module = PyObject_CallMethod(cells.shell, "transform_ast", "(O)", parsed);
    if (module == NULL || cells.hooks->check(module) < 0)
        return -1;
    if (split_last_expression(module, program->source, &expression, &program->quiet) < 0)
        return -1;
    if (expression == NULL || has_statements(module)) {
        program->statements = compile_ast(module, filename, "exec");
        if (program->statements == NULL)
            return -1;
    }
    if (expression != NULL)
        program->expression = compile_ast(expression, filename, "eval");
    return expression == NULL || program->expression != NULL ? 0 : -1;
}

static bool is_coroutine(PyObject *code)
{
    return code != NULL && (code_flags(code) & CODE_IS_COROUTINE) != 0;
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
    step = Py_BuildValue("(OO)", function, is_coroutine(code) ? Py_True : Py_False);
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

    if (is_coroutine(program->statements) || is_coroutine(program->expression))
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
}

PyObject *cell_evaluate(PyObject *source)
{
    cleanup_py PyObject *filename = PyUnicode_FromString("<user expression>");
    cleanup_py PyObject *expression = NULL;
    cleanup_py PyObject *code = NULL;

    if (filename == NULL)
        return NULL;
    expression = compile(source, filename, "eval", COMPILE_ONLY_AST);
    if (expression == NULL || cells.hooks->check(expression) < 0)
        return NULL;
    code = compile_ast(expression, filename, "eval");
    if (code == NULL)
        return NULL;
    if (is_coroutine(code)) {
        PyErr_SetString(PyExc_SyntaxError, "a user expression cannot await");
        return NULL;
    }
    return PyEval_EvalCode(code, cells.namespace, cells.namespace);
}

int cell_check(PyObject *ast)
{
    return cells.hooks->check(ast);
}
