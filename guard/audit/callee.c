#include "guard/audit/callee.h"

#include "guard/audit/plain.h"
#include "guard/python/compat.h"

#include <string.h>

enum { KNOWN_SIZE = 4096, KNOWN_MAX = 3072 };

static struct {
    PyTypeObject *function;
    PyTypeObject *method;
    PyTypeObject *descriptor; /* of list.append */
    PyTypeObject *partial;
    void *python_call; /* the slot of a class with a __call__ in Python */
    const void *known[KNOWN_SIZE];
    unsigned known_count;
} state;

static PyTypeObject *type_of(const char *module_name, const char *name)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);

    return module != NULL ? (PyTypeObject *)PyObject_GetAttrString(module, name) : NULL;
}

int callee_start(void)
{
    cleanup_py PyObject *sample = NULL;

    if (state.python_call != NULL)
        return 0;
    state.function = type_of("types", "FunctionType");
    state.method = type_of("types", "MethodType");
    state.descriptor = type_of("types", "MethodDescriptorType");
    state.partial = type_of("functools", "partial");
    if (state.function == NULL || state.method == NULL || state.descriptor == NULL ||
        state.partial == NULL)
        return -1;
    sample =
        PyObject_CallFunction((PyObject *)&PyType_Type, "s(){sO}", "sample", "__call__", Py_None);
    if (sample == NULL)
        return -1;
    state.python_call = PyType_GetSlot((PyTypeObject *)sample, Py_tp_call);
    return 0;
}

/* ---- what is known -------------------------------------------------------------------------- */

static unsigned place_of(const void *address)
{
    return (unsigned)(((uintptr_t)address >> 4) * 2654435761u) % KNOWN_SIZE;
}

static bool is_remembered(const void *address)
{
    for (unsigned at = place_of(address); state.known[at] != NULL; at = (at + 1) % KNOWN_SIZE)
        if (state.known[at] == address)
            return true;
    return false;
}

static void remember(const void *address)
{
    unsigned at = place_of(address);

    if (address == NULL || state.known_count >= KNOWN_MAX)
        return;
    while (state.known[at] != NULL && state.known[at] != address)
        at = (at + 1) % KNOWN_SIZE;
    state.known_count += state.known[at] == NULL;
    state.known[at] = address;
}

static bool is_static(PyTypeObject *type)
{
    return (PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE) == 0;
}

/* What stays as long as the process does; NULL for anything that could go and leave its address. */
static const void *lasting_address(PyObject *callable)
{
    cleanup_py PyObject *owner = NULL;

    if (PyCFunction_Check(callable))
        return (const void *)PyCFunction_GetFunction(callable);
    if (PyType_Check(callable))
        return is_static((PyTypeObject *)callable) ? callable : NULL;
    if (Py_TYPE(callable) != state.descriptor)
        return NULL;
    owner = PyObject_GetAttrString(callable, "__objclass__");
    PyErr_Clear();
    return owner != NULL && is_static((PyTypeObject *)owner) ? callable : NULL;
}

bool callee_is_known(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);

    if (type == state.function)
        return true;
    if (PyCFunction_Check(callable))
        return is_remembered((const void *)PyCFunction_GetFunction(callable));
    if (type == state.descriptor)
        return is_remembered(callable);
    if (type == state.method) {
        cleanup_py PyObject *function = PyObject_GetAttrString(callable, "__func__");

        return function != NULL && callee_is_known(function);
    }
    if (PyType_Check(callable)) /* a class in Python; one that C makes at run time passes as one */
        return !is_static((PyTypeObject *)callable) || is_remembered(callable);
    return PyType_GetSlot(type, Py_tp_call) == state.python_call;
}

/* ---- names ---------------------------------------------------------------------------------- */

static PyObject *text_of(PyObject *object, const char *name)
{
    PyObject *text = PyObject_GetAttrString(object, name);

    if (text != NULL && PyUnicode_CheckExact(text))
        return text;
    PyErr_Clear(); /* it has none, or something else under this name */
    Py_XDECREF(text);
    return NULL;
}

/* The module of the class that a method comes from: NotebookNode.get is dict.get. */
static PyObject *module_of_method(PyObject *self, const char *name)
{
    cleanup_py PyObject *order = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "__mro__");

    for (Py_ssize_t i = 0; order != NULL && PyTuple_Check(order) && i < PyTuple_Size(order); i++) {
        PyObject *type = PyTuple_GetItem(order, i);
        cleanup_py PyObject *members = PyObject_GetAttrString(type, "__dict__");
        cleanup_py PyObject *found =
            members != NULL ? PyMapping_GetItemString(members, name) : NULL;

        PyErr_Clear();
        if (found != NULL)
            return text_of(type, "__module__");
    }
    PyErr_Clear();
    return NULL;
}

static PyObject *module_of(PyObject *callable, const char *name)
{
    PyObject *module = text_of(callable, "__module__");
    cleanup_py PyObject *owner = NULL;

    if (module != NULL)
        return module;
    owner = PyObject_GetAttrString(callable, "__objclass__");
    if (owner == NULL) {
        PyErr_Clear();
        owner = PyObject_GetAttrString(callable, "__self__");
        if (owner != NULL && owner != Py_None && !PyModule_Check(owner))
            return module_of_method(owner, name);
        PyErr_Clear();
        return text_of((PyObject *)Py_TYPE(callable), "__module__");
    }
    return text_of(owner, "__module__");
}

static PyObject *without_partial(PyObject *callable)
{
    callable = py_own(callable);
    for (int i = 0; i < 16 && Py_TYPE(callable) == state.partial; i++) {
        PyObject *inner = PyObject_GetAttrString(callable, "func");

        if (inner == NULL)
            break;
        Py_DECREF(callable);
        callable = inner;
    }
    PyErr_Clear();
    return callable;
}

PyObject *callee_name(PyObject *callable)
{
    cleanup_py PyObject *inner = without_partial(callable);
    cleanup_py PyObject *name = text_of(inner, "__qualname__");
    cleanup_py PyObject *last = text_of(inner, "__name__");
    const char *short_name = last != NULL ? PyUnicode_AsUTF8AndSize(last, NULL) : NULL;
    cleanup_py PyObject *module = NULL;

    if (short_name == NULL) {
        PyErr_Clear();
        short_name = "";
    }
    if (name == NULL)
        name = last != NULL ? py_own(last) : PyType_GetName(Py_TYPE(inner));
    module = name != NULL ? module_of(inner, short_name) : NULL;
    if (name == NULL || module == NULL)
        return PyErr_Occurred() ? NULL : steal(name);
    return PyUnicode_FromFormat("%U.%U", module, name);
}

/* ---- harmless ------------------------------------------------------------------------------- */

/* lxml opens files itself in these, below every audit event; the rest of it computes. */
static bool opens_files(const char *name)
{
    static const char *const names[] = {"lxml.etree._ElementTree.write",
                                        "lxml.etree._ElementTree.write_c14n",
                                        "lxml.etree._ElementTree.parse",
                                        "lxml.etree._ElementTree.xinclude",
                                        "lxml.etree.parse",
                                        "lxml.etree.parseid",
                                        "lxml.etree.iterparse",
                                        "lxml.etree.xmlfile",
                                        "lxml.etree.htmlfile",
                                        "lxml.etree._FileWriterElement",
                                        "lxml.etree._XSLTResultTree.write_output",
                                        "lxml.etree.XMLParser",
                                        "lxml.etree.XMLPullParser",
                                        "lxml.etree.ETCompatXMLParser",
                                        "lxml.etree.XInclude",
                                        "lxml.etree.XSLT",
                                        "lxml.etree.XMLSchema",
                                        "lxml.etree.RelaxNG",
                                        "lxml.etree.Schematron",
                                        "lxml.etree.DTD",
                                        "lxml.etree.Catalog",
                                        "lxml.objectify.parse",
                                        NULL};

    for (size_t i = 0; names[i] != NULL; i++) {
        size_t size = strlen(names[i]);

        if (strncmp(name, names[i], size) == 0 && (name[size] == '.' || name[size] == '\0'))
            return true;
    }
    return false;
}

static bool is_listed(const struct scope *scope, const char *name)
{
    if (opens_files(name))
        return false;
    for (size_t i = 0; i < scope->safe_native.count; i++) {
        const char *prefix = scope->safe_native.items[i];
        size_t size = strlen(prefix);

        if (strncmp(name, prefix, size) == 0 && (name[size] == '.' || name[size] == '\0'))
            return true;
    }
    return false;
}

static bool is_standard(const char *name)
{
    PyObject *standard = PySys_GetObject("stdlib_module_names");
    cleanup_py PyObject *top = PyUnicode_FromStringAndSize(name, (Py_ssize_t)strcspn(name, "."));
    bool found = standard != NULL && PyAnySet_CheckExact(standard) && top != NULL &&
                 PySet_Contains(standard, top) == 1;

    PyErr_Clear();
    return found;
}

/* The guard's own types refuse by themselves what is not for guarded code. */
static bool is_own(const char *name)
{
    static const char *const names[] = {"safepyrun._guard.Audit", "safepyrun._guard.Entry",
                                        "safepyrun._guard.Run"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

bool callee_is_harmless(const struct scope *scope, PyObject *callable, PyObject *name)
{
    cleanup_py PyObject *inner = without_partial(callable);
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);

    if (inner != callable && callee_is_known(inner))
        return true;
    if (text == NULL) {
        PyErr_Clear(); /* a name that is no text: nothing is known about it */
        return false;
    }
    if (is_standard(text) || is_own(text)) {
        remember(lasting_address(inner));
        return true;
    }
    return is_listed(scope, text);
}

PyObject *callee_for_host(PyObject *callable)
{
    PyObject *self = PyCFunction_Check(callable) ? PyCFunction_GetSelf(callable) : callable;

    if (self == NULL || PyModule_CheckExact(self))
        return py_own(callable);
    return plain_init() == 0 ? plain_copy(callable) : NULL;
}
