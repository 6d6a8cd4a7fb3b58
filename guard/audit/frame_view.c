#include "guard/audit/frame_view.h"

#include "guard/audit/plain.h"
#include "guard/python/compat.h"
#include "guard/python/stack.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A recursion is not followed to its end, and whoever reads a refusal wants to know where he is. */
enum { FRAMES_WALKED = 60, FRAMES_TOLD = 8 };

struct view {
    PyObject_HEAD
    PyFrameObject *frame;
};

static PyTypeObject *view_type;

static PyObject *code_of(PyFrameObject *frame)
{
    return (PyObject *)PyFrame_GetCode(frame);
}

/* An entry of the globals when it is plain text: the dict may be a cell's, and its subclass too. */
static PyObject *global_text(PyFrameObject *frame, const char *name)
{
    cleanup_py PyObject *globals = compat.frame_globals((PyObject *)frame);
    PyObject *value = globals != NULL && PyDict_Check(globals)
                          ? PyDict_GetItemString(globals, name)
                          : NULL;

    return value != NULL && PyUnicode_CheckExact(value) ? py_own(value) : NULL;
}

PyObject *frame_view_name(PyFrameObject *frame)
{
    cleanup_py PyObject *code = code_of(frame);
    cleanup_py PyObject *name = PyObject_GetAttrString(code, "co_qualname");
    cleanup_py PyObject *module = global_text(frame, "__name__");

    if (name == NULL)
        return NULL;
    return module != NULL ? PyUnicode_FromFormat("%U.%U", module, name) : steal(name);
}

static bool is_import_system(PyObject *name)
{
    static const char prefix[] = "importlib._bootstrap";
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);

    if (text == NULL)
        PyErr_Clear();
    return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The names of the frames of this thread, innermost first. */
static PyObject *frame_names(void)
{
    cleanup_py PyObject *frame = stack_innermost();
    cleanup_py PyObject *names = PyList_New(0);

    for (int i = 0; frame != NULL && names != NULL && i < FRAMES_WALKED; i++) {
        cleanup_py PyObject *name = frame_view_name((PyFrameObject *)frame);

        if (name == NULL || (!is_import_system(name) && PyList_Append(names, name) < 0))
            return NULL;
        stack_step_out(&frame);
    }
    return steal(names);
}

PyObject *frame_view_chain(void)
{
    cleanup_py PyObject *names = frame_names();
    cleanup_py PyObject *arrow = PyUnicode_FromString(" -> ");
    cleanup_py PyObject *gap = Py_BuildValue("[s]", "…");
    Py_ssize_t count = names != NULL ? PyList_Size(names) : 0;

    if (names == NULL || arrow == NULL || gap == NULL ||
        (count > FRAMES_TOLD && PyList_SetSlice(names, FRAMES_TOLD - 1, count - 1, gap) < 0) ||
        PyList_Reverse(names) < 0)
        return NULL;
    return PyUnicode_Join(arrow, names);
}

/* ---- the type ------------------------------------------------------------------------------- */

static PyObject *get_back(PyObject *self, void *unused)
{
    cleanup_py PyObject *back = compat.frame_back((PyObject *)((struct view *)self)->frame);

    (void)unused;
    return back != NULL ? frame_view_of((PyFrameObject *)back) : py_own(Py_None);
}

static PyObject *get_code(PyObject *self, void *unused)
{
    (void)unused;
    return code_of(((struct view *)self)->frame);
}

static PyObject *get_line(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(PyFrame_GetLineNumber(((struct view *)self)->frame));
}

static PyObject *get_globals(PyObject *self, void *unused)
{
    static const char *const names[] = {"__name__", "__package__", "__file__"};
    cleanup_py PyObject *result = PyDict_New();

    (void)unused;
    for (size_t i = 0; result != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        cleanup_py PyObject *text = global_text(((struct view *)self)->frame, names[i]);

        if (text != NULL && PyDict_SetItemString(result, names[i], text) < 0)
            return NULL;
    }
    return steal(result);
}

/* A static type, so none of a cell's. */
static bool is_proxy(PyObject *locals)
{
    cleanup_py PyObject *name = PyType_GetName(Py_TYPE(locals));

    return (PyType_GetFlags(Py_TYPE(locals)) & Py_TPFLAGS_HEAPTYPE) == 0 && name != NULL &&
           PyUnicode_CompareWithASCIIString(name, "FrameLocalsProxy") == 0;
}

/* A dict, or on 3.13 a proxy of the C code's, which makes one when it is copied. */
static PyObject *get_locals(PyObject *self, void *unused)
{
    cleanup_py PyObject *locals = compat.frame_locals((PyObject *)((struct view *)self)->frame);
    cleanup_py PyObject *dict = NULL;

    (void)unused;
    if (locals == NULL)
        return NULL;
    if (PyDict_CheckExact(locals))
        return plain_copy(locals);
    dict = PyDict_New();
    /* The namespace of a class body can be any mapping: nobody asks it. */
    if (dict == NULL || !is_proxy(locals))
        return steal(dict);
    return PyDict_Update(dict, locals) == 0 ? plain_copy(dict) : NULL;
}

static void view_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    Py_XDECREF((PyObject *)((struct view *)self)->frame);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyGetSetDef attributes[] = {{"f_back", get_back, NULL, NULL, NULL},
                                   {"f_code", get_code, NULL, NULL, NULL},
                                   {"f_lineno", get_line, NULL, NULL, NULL},
                                   {"f_globals", get_globals, NULL, NULL, NULL},
                                   {"f_locals", get_locals, NULL, NULL, NULL},
                                   {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, (void *)view_dealloc}, {Py_tp_getset, attributes}, {0, NULL}};

static PyType_Spec spec = {.name = "safepyrun._guard.FrameView",
                           .basicsize = sizeof(struct view),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
                                    Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};

PyObject *frame_view_of(PyFrameObject *frame)
{
    struct view *view;

    if (view_type == NULL)
        view_type = (PyTypeObject *)PyType_FromSpec(&spec);
    view = view_type != NULL ? PyObject_New(struct view, view_type) : NULL;
    if (view != NULL)
        view->frame = (PyFrameObject *)py_own((PyObject *)frame);
    return (PyObject *)view;
}

PyObject *frame_view_innermost(void)
{
    PyFrameObject *frame = PyEval_GetFrame();

    return frame != NULL && plain_init() == 0 ? frame_view_of(frame) : py_own(Py_None);
}

PyFrameObject *frame_view_frame(PyObject *object)
{
    return view_type != NULL && Py_TYPE(object) == view_type ? ((struct view *)object)->frame : NULL;
}
