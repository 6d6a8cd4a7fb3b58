#include "guard/audit/code_names.h"

static struct {
    long load_global;
    long load_name;
    long import_name;
    long extended_arg;
} opcodes;

static long opcode_of(PyObject *numbers, const char *name)
{
    PyObject *number = PyDict_GetItemString(numbers, name); /* borrowed */

    if (number == NULL)
        PyErr_Format(PyExc_RuntimeError, "this Python has no instruction %s", name);
    return number != NULL ? PyLong_AsLong(number) : -1;
}

static int find_opcodes(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("opcode");
    cleanup_py PyObject *numbers = module != NULL ? PyObject_GetAttrString(module, "opmap") : NULL;

    if (numbers == NULL)
        return -1;
    opcodes.load_global = opcode_of(numbers, "LOAD_GLOBAL");
    opcodes.load_name = opcode_of(numbers, "LOAD_NAME");
    opcodes.import_name = opcode_of(numbers, "IMPORT_NAME");
    opcodes.extended_arg = opcode_of(numbers, "EXTENDED_ARG");
    return PyErr_Occurred() ? -1 : 0;
}

static int add(PyObject *set, PyObject *names, long index)
{
    PyObject *name = PyTuple_GetItem(names, index); /* borrowed */

    return name != NULL ? PySet_Add(set, name) : -1;
}

/* Instructions of two bytes: number and argument. The space for caches between them is zero in what
   co_code gives, which is an instruction that names nothing. */
static int read_instructions(PyObject *code, PyObject *names, struct code_names *found)
{
    cleanup_py PyObject *bytes = PyObject_GetAttrString(code, "co_code");
    const unsigned char *at = bytes != NULL ? (unsigned char *)PyBytes_AsString(bytes) : NULL;
    const unsigned char *end = at != NULL ? at + PyBytes_Size(bytes) : NULL;
    long argument = 0;
    int result = 0;

    if (at == NULL)
        return -1;
    for (; at + 1 < end && result == 0; at += 2) {
        argument = argument << 8 | at[1];
        if (at[0] == opcodes.extended_arg)
            continue;
        if (at[0] == opcodes.load_global) /* the lowest bit says how the stack is left */
            result = add(found->globals, names, argument >> 1);
        else if (at[0] == opcodes.load_name)
            result = add(found->globals, names, argument);
        else if (at[0] == opcodes.import_name)
            result = add(found->imports, names, argument);
        argument = 0;
    }
    return result;
}

static int read_code(PyObject *code, struct code_names *found)
{
    cleanup_py PyObject *names = PyObject_GetAttrString(code, "co_names");
    cleanup_py PyObject *constants = PyObject_GetAttrString(code, "co_consts");

    if (names == NULL || constants == NULL || read_instructions(code, names, found) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PyTuple_Size(names); i++)
        if (PySet_Add(found->attributes, PyTuple_GetItem(names, i)) < 0)
            return -1;
    for (Py_ssize_t i = 0; i < PyTuple_Size(constants); i++) {
        PyObject *constant = PyTuple_GetItem(constants, i);

        if (Py_TYPE(constant) == Py_TYPE(code) && read_code(constant, found) < 0)
            return -1;
    }
    return 0;
}

int code_names_read(PyObject *code, struct code_names *ret_names)
{
    if (opcodes.load_global == 0 && find_opcodes() < 0)
        return -1;
    ret_names->globals = PySet_New(NULL);
    ret_names->imports = PySet_New(NULL);
    ret_names->attributes = PySet_New(NULL);
    if (ret_names->globals == NULL || ret_names->imports == NULL || ret_names->attributes == NULL)
        return -1;
    return read_code(code, ret_names);
}

void code_names_finish(struct code_names *names)
{
    Py_CLEAR(names->globals);
    Py_CLEAR(names->imports);
    Py_CLEAR(names->attributes);
}
