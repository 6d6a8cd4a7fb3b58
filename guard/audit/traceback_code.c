#include "guard/audit/traceback_code.h"

#include <string.h>

#define TEXT "_getframe()"

/* Attributes that tell code apart; where it is from and what it is called are Cython's to choose. */
static const char *const parts[] = {"co_code",     "co_names",    "co_consts", "co_varnames", "co_freevars",
                                    "co_cellvars", "co_argcount", "co_flags",  "co_stacksize"};

static PyObject *made; /* by us, from the same text */
static _Thread_local unsigned compiling;

int traceback_code_init(void)
{
    if (made == NULL)
        made = Py_CompileString(TEXT, "<safepyrun>", Py_eval_input);
    return made != NULL ? 0 : -1;
}

void traceback_code_begin_compile(void)
{
    compiling++;
}

void traceback_code_end_compile(void)
{
    compiling--;
}

/* eval() and exec() compile a text too, and call it "<string>". */
static bool names_a_file(PyObject *name)
{
    return PyUnicode_CheckExact(name) && PyUnicode_GetLength(name) > 0 &&
           PyUnicode_ReadChar(name, 0) != '<';
}

bool traceback_code_is_text(const struct facts_source *source)
{
    PyObject *text = source->tuple != NULL && source->count == 2 ? PyTuple_GetItem(source->tuple, 0) : NULL;

    return text != NULL && compiling == 0 && PyBytes_CheckExact(text) &&
           PyBytes_Size(text) == (Py_ssize_t)strlen(TEXT) &&
           memcmp(PyBytes_AsString(text), TEXT, strlen(TEXT)) == 0 &&
           names_a_file(PyTuple_GetItem(source->tuple, 1));
}

/* All of them are bytes, tuples of texts and None, and numbers. */
static bool is_same_part(PyObject *code, const char *part)
{
    cleanup_py PyObject *one = PyObject_GetAttrString(code, part);
    cleanup_py PyObject *other = PyObject_GetAttrString(made, part);
    bool same = one != NULL && other != NULL && Py_TYPE(one) == Py_TYPE(other) &&
                PyObject_RichCompareBool(one, other, Py_EQ) == 1;

    PyErr_Clear();
    return same;
}

static bool is_change(PyObject *name, PyObject *value)
{
    if (PyUnicode_CompareWithASCIIString(name, "co_firstlineno") == 0)
        return PyLong_CheckExact(value);
    return PyUnicode_CompareWithASCIIString(name, "co_name") == 0 && PyUnicode_CheckExact(value);
}

bool traceback_code_fits(PyObject *code, PyObject *const *values, Py_ssize_t positional, PyObject *names)
{
    if (Py_TYPE(code) != Py_TYPE(made) || positional != 0 || names == NULL || PyTuple_Size(names) != 2)
        return false;
    for (Py_ssize_t i = 0; i < 2; i++)
        if (!is_change(PyTuple_GetItem(names, i), values[i]))
            return false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!is_same_part(code, parts[i]))
            return false;
    return true;
}
