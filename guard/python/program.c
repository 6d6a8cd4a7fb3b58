#include "guard/python/program.h"

#include "guard/python/py_cleanup.h"

#include <string.h>

static struct {
    PyObject *compile;         /* builtins.compile as it was at start */
    PyObject *expression_type; /* _ast.Expression, _ast.Expr */
    PyObject *statement_type;
} start;

int program_start(void)
{
    cleanup_py PyObject *builtins = NULL;
    cleanup_py PyObject *ast = NULL;

    if (start.statement_type != NULL)
        return 0;
    builtins = PyImport_ImportModule("builtins");
    ast = PyImport_ImportModule("_ast");
    if (builtins == NULL || ast == NULL)
        return -1;
    start.compile = PyObject_GetAttrString(builtins, "compile");
    start.expression_type = PyObject_GetAttrString(ast, "Expression");
    start.statement_type = PyObject_GetAttrString(ast, "Expr");
    return start.compile != NULL && start.expression_type != NULL && start.statement_type != NULL ? 0
                                                                                                 : -1;
}

PyObject *program_compile(PyObject *source, PyObject *filename, const char *mode, long flags)
{
    return PyObject_CallFunction(start.compile, "OOsli", source, filename, mode,
                                 flags | COMPILE_TOP_LEVEL_AWAIT, 1);
}

long program_code_flags(PyObject *code)
{
    cleanup_py PyObject *flags = PyObject_GetAttrString(code, "co_flags");
    long value = flags != NULL ? PyLong_AsLong(flags) : 0;

    PyErr_Clear(); /* a code object has them */
    return value;
}

bool program_is_coroutine(PyObject *code)
{
    return code != NULL && (program_code_flags(code) & CODE_IS_COROUTINE) != 0;
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

int program_split(PyObject *module, PyObject *source, PyObject **ret_expression, bool *ret_quiet)
{
    cleanup_py PyObject *body = PyObject_GetAttrString(module, "body");
    cleanup_py PyObject *last = NULL;
    cleanup_py PyObject *value = NULL;
    Py_ssize_t count = body != NULL ? PyList_Size(body) : -1;

    *ret_expression = NULL;
    if (count <= 0)
        return count < 0 ? -1 : 0;
    last = py_own(PyList_GetItem(body, count - 1));
    if ((PyObject *)Py_TYPE(last) != start.statement_type)
        return 0;
    value = PyObject_GetAttrString(last, "value");
    if (value == NULL || PySequence_DelItem(body, count - 1) < 0)
        return -1;
    *ret_quiet = ends_with_semicolon(source, last);
    *ret_expression = PyObject_CallFunctionObjArgs(start.expression_type, value, NULL);
    return *ret_expression != NULL ? 0 : -1;
}

bool program_has_statements(PyObject *module)
{
    cleanup_py PyObject *body = PyObject_GetAttrString(module, "body");

    return body != NULL && PyList_Size(body) > 0;
}
