#include "guard/debug/breakpoints.h"

#include "guard/debug/debug.h"
#include "guard/link/murmur.h"
#include "guard/python/py_cleanup.h"

static struct {
    bool attached;
    bool raised;
    bool uncaught;
    PyObject *cells;  /* file name -> text, or (text, offset) where its first lines were left out */
    PyObject *prefix; /* str */
    PyObject *wanted; /* path -> [{"line", "condition"}, …] */
    PyObject *active; /* file name -> {line: condition or None}; made when a file is met */
} state;

/* ---- the settings ----------------------------------------------------------------------------- */

static bool has_filter(PyObject *filters, const char *name)
{
    for (Py_ssize_t i = 0; filters != NULL && i < PyList_Size(filters); i++) {
        PyObject *filter = PyList_GetItem(filters, i);

        if (PyUnicode_Check(filter) && PyUnicode_CompareWithASCIIString(filter, name) == 0)
            return true;
    }
    return false;
}

int breakpoints_set(PyObject *settings)
{
    PyObject *prefix = PyDict_GetItemString(settings, "prefix");
    PyObject *wanted = PyDict_GetItemString(settings, "breakpoints");
    PyObject *filters = PyDict_GetItemString(settings, "filters");
    cleanup_py PyObject *old_prefix = state.prefix;
    cleanup_py PyObject *old_wanted = state.wanted;
    cleanup_py PyObject *old_active = state.active;

    state.prefix = py_own(prefix);
    state.wanted = py_own(wanted);
    state.active = PyDict_New();
    state.attached = PyDict_GetItemString(settings, "attached") == Py_True;
    state.raised = has_filter(filters, "raised");
    state.uncaught = has_filter(filters, "uncaught");
    return state.active != NULL ? 0 : -1;
}

bool breakpoints_is_attached(void)
{
    return state.attached;
}

bool breakpoints_stops_at_raised(void)
{
    return state.raised;
}

bool breakpoints_stops_at_uncaught(void)
{
    return state.uncaught;
}

/* ---- names ------------------------------------------------------------------------------------ */

static Py_ssize_t leading_blank_lines(PyObject *text)
{
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    Py_ssize_t lines = 0;

    if (utf8 == NULL)
        PyErr_Clear(); /* it does not compile either */
    for (; utf8 != NULL && size > 0 && strchr(" \t\f\r\n", *utf8) != NULL; utf8++, size--) {
        if (*utf8 == '\n')
            lines++;
    }
    return lines;
}

int breakpoints_name_cell(PyObject *filename, PyObject *text, PyObject *source)
{
    Py_ssize_t offset = 0;

    if (state.cells == NULL)
        state.cells = PyDict_New();
    if (state.cells == NULL || !PyUnicode_CheckExact(filename) || !PyUnicode_CheckExact(text))
        return state.cells != NULL ? 0 : -1;
    /* IPython drops empty lines before a cell. */
    if (text != source && PyUnicode_GetLength(text) > 0 && PyUnicode_ReadChar(text, 0) <= ' ')
        offset = leading_blank_lines(text) - leading_blank_lines(source);
    if (offset > 0) {
        cleanup_py PyObject *both = Py_BuildValue("(On)", text, offset);

        return both != NULL ? PyDict_SetItem(state.cells, filename, both) : -1;
    }
    return PyDict_SetItem(state.cells, filename, text);
}

/* A borrowed text; NULL for a file that is no cell. */
static PyObject *text_of(PyObject *filename, long *ret_offset)
{
    PyObject *known = state.cells != NULL ? PyDict_GetItemWithError(state.cells, filename) : NULL;

    *ret_offset = 0;
    if (known == NULL || PyUnicode_Check(known))
        return known;
    *ret_offset = PyLong_AsLong(PyTuple_GetItem(known, 1));
    return PyTuple_GetItem(known, 0);
}

static PyObject *path_of_text(PyObject *text)
{
    cleanup_py PyObject *utf8 = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    cleanup_py PyObject *number = NULL;
    struct bytes bytes;
    Py_ssize_t size;
    char *data;

    if (utf8 == NULL || PyBytes_AsStringAndSize(utf8, &data, &size) < 0)
        return NULL;
    bytes = (struct bytes){data, (size_t)size};
    number = PyLong_FromUnsignedLong(murmur2(bytes, MURMUR_SEED));
    return number != NULL ? PyUnicode_FromFormat("%U%S.py", state.prefix, number) : NULL;
}

PyObject *breakpoints_path(PyObject *filename, long *ret_offset)
{
    PyObject *text = text_of(filename, ret_offset);

    if (text == NULL && PyErr_Occurred())
        return NULL;
    return text != NULL && state.prefix != NULL ? path_of_text(text) : py_own(filename);
}

PyObject *breakpoints_text(PyObject *path)
{
    PyObject *filename;
    PyObject *known;
    Py_ssize_t at = 0;
    long offset;

    while (state.cells != NULL && state.prefix != NULL &&
           PyDict_Next(state.cells, &at, &filename, &known)) {
        PyObject *text = text_of(filename, &offset);
        cleanup_py PyObject *its_path = text != NULL ? path_of_text(text) : NULL;

        if (its_path == NULL)
            return NULL;
        if (PyUnicode_Compare(its_path, path) == 0)
            return py_own(text);
    }
    return NULL;
}

/* ---- lines ------------------------------------------------------------------------------------ */

/* On a line without code, a comment say, the next one with code is meant. code_lines: sorted, maybe empty. */
static long line_of_code(PyObject *code_lines, long line)
{
    for (Py_ssize_t i = 0; i < PyList_Size(code_lines); i++) {
        long with_code = PyLong_AsLong(PyList_GetItem(code_lines, i));

        if (with_code >= line)
            return with_code;
    }
    return line;
}

static int add_line(PyObject *lines, PyObject *wanted, PyObject *code_lines, long offset)
{
    PyObject *number = PyDict_Check(wanted) ? PyDict_GetItemString(wanted, "line") : NULL;
    PyObject *condition = number != NULL ? PyDict_GetItemString(wanted, "condition") : NULL;
    cleanup_py PyObject *line = NULL;

    if (number == NULL || !PyLong_Check(number))
        return 0;
    line = PyLong_FromLong(line_of_code(code_lines, PyLong_AsLong(number)) - offset);
    if (line == NULL || PyErr_Occurred())
        return -1;
    if (condition == NULL || !PyUnicode_Check(condition) || PyUnicode_GetLength(condition) == 0)
        condition = Py_None;
    return PyDict_SetItem(lines, line, condition);
}

/* A new list; of a file that is no cell, an empty one. */
static PyObject *code_lines_of(PyObject *filename)
{
    long offset;
    PyObject *text = text_of(filename, &offset);
    PyObject *lines = text != NULL ? debug_code_lines(text) : NULL;

    if (lines != NULL && PyList_CheckExact(lines))
        return lines;
    Py_XDECREF(lines);
    PyErr_Clear(); /* a magic, or a changed glue: lines are taken as they are */
    return PyList_New(0);
}

/* Borrowed from state.active, or NULL. */
static PyObject *make_lines(PyObject *filename)
{
    long offset;
    cleanup_py PyObject *path = breakpoints_path(filename, &offset);
    cleanup_py PyObject *lines = path != NULL ? PyDict_New() : NULL;
    PyObject *wanted =
        lines != NULL && state.wanted != NULL ? PyDict_GetItemWithError(state.wanted, path) : NULL;
    cleanup_py PyObject *code_lines = wanted != NULL ? code_lines_of(filename) : NULL;

    for (Py_ssize_t i = 0; code_lines != NULL && i < PyList_Size(wanted); i++)
        if (add_line(lines, PyList_GetItem(wanted, i), code_lines, offset) < 0)
            return NULL;
    if (lines == NULL || PyDict_SetItem(state.active, filename, lines) < 0)
        return NULL;
    return lines; /* the dict has it */
}

bool breakpoints_at(PyObject *code, int line, PyObject **ret_condition)
{
    cleanup_py PyObject *filename = PyObject_GetAttrString(code, "co_filename");
    cleanup_py PyObject *number = NULL;
    PyObject *lines;
    PyObject *found = NULL;

    if (filename == NULL || !PyUnicode_CheckExact(filename) || state.active == NULL ||
        state.wanted == NULL || PyDict_Size(state.wanted) == 0) {
        PyErr_Clear();
        return false;
    }
    lines = PyDict_GetItemWithError(state.active, filename);
    if (lines == NULL)
        lines = make_lines(filename);
    if (lines != NULL && PyDict_Size(lines) > 0)
        number = PyLong_FromLong(line);
    if (number != NULL)
        found = PyDict_GetItemWithError(lines, number);
    PyErr_Clear(); /* without memory there is no breakpoint */
    *ret_condition = found != Py_None ? found : NULL;
    return found != NULL;
}
