#include "guard/tool_functions.h"

#include "guard/audit/arguments.h"
#include "guard/audit/audit.h"
#include "guard/audit/frame_view.h"
#include "guard/audit/import_allow.h"
#include "guard/audit/plain.h"
#include "guard/audit/tool_policy.h"
#include "guard/audit/tools.h"
#include "guard/audit/tracked_calls.h"
#include "guard/policy/write_roots.h"
#include "guard/python/compat.h"
#include "guard/tools/outside.h"
#include "guard/tools/process.h"

#include <fcntl.h>
#include <string.h>

static int self_of(const char *word, enum tool_self *ret_self)
{
    static const char *const words[] = {[TOOL_FUNCTION] = "function",
                                        [TOOL_METHOD] = "method",
                                        [TOOL_CLASS] = "class",
                                        [TOOL_INSTANCE] = "instance"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i]) == 0) {
            *ret_self = (enum tool_self)i;
            return 0;
        }
    PyErr_Format(PyExc_ValueError, "a tool is no %s", word);
    return -1;
}

static PyObject *register_tool(PyObject *self, PyObject *args)
{
    struct tool_registration registration;
    const char *kind;

    (void)self;
    if (!PyArg_ParseTuple(args, "sOsOOO:register_tool", &registration.name, &registration.callable,
                          &kind, &registration.owner, &registration.policy,
                          &registration.may_change) ||
        self_of(kind, &registration.self) < 0 ||
        compat.audit("safepyrun.allow", "O", registration.callable) < 0 ||
        tools_add(&registration) < 0)
        return NULL;
    return py_own(Py_None);
}

static PyObject *set_tool_data(PyObject *self, PyObject *data)
{
    (void)self;
    if (!PyDict_CheckExact(data)) {
        PyErr_SetString(PyExc_TypeError, "set_data() takes names and values");
        return NULL;
    }
    if (compat.audit("safepyrun.set_data", NULL) < 0 || tools_set_data(data) < 0)
        return NULL;
    return py_own(Py_None);
}

/* In a tool process alone: what policies find in `data`. */
static PyObject *tool_data(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    if (process_policy() != NULL)
        return tool_policy_data(process_policy());
    PyErr_SetString(PyExc_RuntimeError, "this is no tool process");
    return NULL;
}

static PyObject *tool_names(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return tools_names();
}

static PyObject *tool_count(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyLong_FromSize_t(tools_count());
}

/* Those that were registered after there were so many, unless they are in force already. */
static PyObject *forget_tools(PyObject *self, PyObject *number)
{
    size_t count = PyLong_AsSize_t(number);

    (void)self;
    if (PyErr_Occurred() || compat.audit("safepyrun.allow", NULL) < 0)
        return NULL;
    tools_forget(count);
    return py_own(Py_None);
}

/* (name of a module, is it permitted) */
static PyObject *set_import(PyObject *self, PyObject *args)
{
    const char *module;
    int permitted;

    (void)self;
    if (!PyArg_ParseTuple(args, "sp:set_import", &module, &permitted) ||
        import_allow_set(module, permitted) < 0)
        return NULL;
    return py_own(Py_None);
}

static PyObject *allowed_imports(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return import_allow_names();
}

static PyObject *track(PyObject *self, PyObject *function)
{
    (void)self;
    return tracked_calls_add(function) == 0 ? py_own(Py_None) : NULL;
}

static PyObject *tracked_frames(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return tracked_calls_frames();
}

static PyObject *is_tool(PyObject *self, PyObject *callable)
{
    (void)self;
    return py_own(tools_hold(callable) ? Py_True : Py_False);
}

/* (args, kwargs) of a frame, as copies; without the first argument when it is `obj`. */
static PyObject *recover_arguments(PyObject *self, PyObject *args)
{
    cleanup_recovered struct recovered recovered = RECOVERED_NONE;
    cleanup_py PyObject *code = NULL;
    cleanup_py PyObject *first = NULL;
    cleanup_py PyObject *positional = NULL;
    cleanup_py PyObject *named = NULL;
    PyObject *frame;
    PyObject *object;

    (void)self;
    if (!PyArg_ParseTuple(args, "OO:frame_args", &frame, &object) || plain_init() < 0)
        return NULL;
    if (frame_view_frame(frame) != NULL)
        frame = (PyObject *)frame_view_frame(frame);
    if (!PyObject_TypeCheck(frame, compat.frame_type)) {
        PyErr_SetString(PyExc_TypeError, "frame_args() takes a frame");
        return NULL;
    }
    code = (PyObject *)PyFrame_GetCode((PyFrameObject *)frame);
    first = arguments_first((PyFrameObject *)frame, code);
    if (arguments_recover((PyFrameObject *)frame, code, object != Py_None && first == object,
                          &recovered) < 0)
        return NULL;
    positional = plain_copy(recovered.args);
    named = positional != NULL ? plain_copy(recovered.kwargs) : NULL;
    return named != NULL ? PyTuple_Pack(2, positional, named) : NULL;
}

/* ---- paths ---------------------------------------------------------------------------------- */

static int read_roots(PyObject *sequence, struct string_list *roots)
{
    cleanup_py PyObject *list = PySequence_List(sequence);

    for (Py_ssize_t i = 0; list != NULL && i < PyList_Size(list); i++) {
        PyObject *encoded = NULL;

        if (PyUnicode_FSConverter(PyList_GetItem(list, i), &encoded) == 0)
            return -1;
        string_list_add(roots, PyBytes_AsString(encoded));
        Py_DECREF(encoded);
    }
    return list != NULL ? 0 : -1;
}

static bool is_inside(const struct string_list *paths, PyObject *encoded)
{
    const struct policy *policy = process_policy() != NULL ? process_policy() : audit_policy();
    struct write_roots *roots = write_roots_new(paths);
    cleanup_free char *path = write_roots_expand_home(PyBytes_AsString(encoded));
    char resolved[PATH_MAX];
    bool inside;

    if (policy != NULL) {
        write_roots_protect(roots, &policy->protect);
        write_roots_exclude(roots, &policy->read_only);
    }
    inside = write_roots_ask(roots, bytes_of_string(path), AT_FDCWD, PATH_FOLLOW_LAST, resolved) ==
             ROOTS_INSIDE;
    write_roots_free(roots);
    return inside;
}

/* Does the path lie below one of these folders, as the write roots would say it? */
static PyObject *path_is_inside(PyObject *self, PyObject *args)
{
    cleanup_py PyObject *encoded = NULL;
    struct string_list roots = {NULL, 0};
    PyObject *path;
    PyObject *folders;
    PyObject *result = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "OO:path_is_inside", &path, &folders) ||
        PyUnicode_FSConverter(path, &encoded) == 0)
        return NULL;
    if (read_roots(folders, &roots) == 0)
        result = py_own(is_inside(&roots, encoded) ? Py_True : Py_False);
    string_list_finish(&roots);
    return result;
}

static PyMethodDef methods[] = {{"register_tool", register_tool, METH_VARARGS, NULL},
                                {"set_tool_data", set_tool_data, METH_O, NULL},
                                {"tool_data", tool_data, METH_NOARGS, NULL},
                                {"tool_names", tool_names, METH_NOARGS, NULL},
                                {"tool_count", tool_count, METH_NOARGS, NULL},
                                {"forget_tools", forget_tools, METH_O, NULL},
                                {"set_import", set_import, METH_VARARGS, NULL},
                                {"allowed_imports", allowed_imports, METH_NOARGS, NULL},
                                {"track", track, METH_O, NULL},
                                {"tracked_frames", tracked_frames, METH_NOARGS, NULL},
                                {"is_tool", is_tool, METH_O, NULL},
                                {"frame_args", recover_arguments, METH_VARARGS, NULL},
                                {"path_is_inside", path_is_inside, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};

int tool_functions_add(PyObject *module)
{
    return PyModule_AddFunctions(module, methods) < 0 || outside_functions_add(module) < 0 ? -1 : 0;
}
