#include "guard/tools/outside.h"

#include "guard/python/compat.h"
#include "guard/tools/call_type.h"
#include "guard/tools/message.h"

#include <string.h>

static struct {
    enum outside_role role;
    int bell;
} outside = {.role = OUTSIDE_HOST, .bell = -1};

void outside_set_role(enum outside_role role)
{
    outside.role = role;
}

int outside_bell(void)
{
    return outside.bell;
}

/* The glue, if allow(outside=True) has been used; borrowed. */
static PyObject *glue(void)
{
    return PyDict_GetItemString(PyImport_GetModuleDict(), "safepyrun._outside");
}

int outside_replace(PyObject *names)
{
    cleanup_py PyObject *done = NULL;

    if (outside.role != OUTSIDE_GUARD || glue() == NULL)
        return 0;
    done = PyObject_CallMethod(glue(), "replace", "O", names);
    return done != NULL ? 0 : -1;
}

bool outside_is_stand_in(PyObject *object)
{
    cleanup_py PyObject *answer =
        glue() != NULL ? PyObject_CallMethod(glue(), "is_stand_in", "O", object) : NULL;

    PyErr_Clear();
    return answer == Py_True;
}

/* NULL without an exception: there are none. */
static PyObject *names_of_tools(void)
{
    PyObject *module = glue();
    cleanup_py PyObject *names = module != NULL ? PyObject_CallMethod(module, "names", NULL) : NULL;

    if (names == NULL || PyUnicode_GetLength(names) == 0)
        return NULL;
    return steal(names);
}

int outside_start(int bell)
{
    cleanup_close int ours = bell;
    cleanup_py PyObject *names = names_of_tools();
    struct tool_message serve = {.type = TOOL_SERVE, .memory = -1};
    Py_ssize_t size;
    const char *text;
    int result;

    outside.role = OUTSIDE_NOT_NOW;
    if (names == NULL)
        return PyErr_Occurred() ? -1 : 0;
    text = PyUnicode_AsUTF8AndSize(names, &size);
    if (text == NULL)
        return -1;
    result = tool_message_send(ours, &serve, (struct bytes){text, (size_t)size}, 0);
    if (result < 0) {
        errno = -result;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    outside.bell = steal_fd(&ours);
    return call_type_start();
}

/* ---- for the glue ---------------------------------------------------------------------------- */

static PyObject *outside_role(PyObject *self, PyObject *unused)
{
    static const char *const names[] = {[OUTSIDE_HOST] = "host",
                                        [OUTSIDE_NOT_NOW] = "not now",
                                        [OUTSIDE_GUARD] = "guard",
                                        [OUTSIDE_TOOL_PROCESS] = "tool process"};

    (void)self;
    (void)unused;
    return PyUnicode_FromString(names[outside.role]);
}

/* (number of the tool, [arguments, {names: arguments}]): a ToolCall that is under way. */
static PyObject *outside_call(PyObject *self, PyObject *args)
{
    unsigned tool;
    PyObject *arguments;

    (void)self;
    if (!PyArg_ParseTuple(args, "IO:outside_call", &tool, &arguments))
        return NULL;
    if (outside.bell < 0) {
        PyErr_SetString(PyExc_RuntimeError, "there is no tool process in this session");
        return NULL;
    }
    return call_type_new(outside.bell, tool, arguments);
}

/* As register_tool() does: refused to cells. */
static PyObject *ask_to_register(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return compat.audit("safepyrun.allow", NULL) < 0 ? NULL : py_own(Py_None);
}

static PyMethodDef methods[] = {{"ask_to_register", ask_to_register, METH_NOARGS, NULL},
                                {"outside_role", outside_role, METH_NOARGS, NULL},
                                {"outside_call", outside_call, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};

int outside_functions_add(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
