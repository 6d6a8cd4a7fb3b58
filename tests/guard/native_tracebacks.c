/* What a module made by Cython for the limited API does when an exception passes one of its functions. */

#include <Python.h>

static PyObject *change(PyObject *code)
{
    PyObject *changes = Py_BuildValue("{s:i,s:s}", "co_firstlineno", 157, "co_name", "native_tracebacks.pop");
    PyObject *none = PyTuple_New(0);
    PyObject *replace = PyObject_GetAttrString(code, "replace");
    PyObject *changed = changes != NULL && none != NULL && replace != NULL ? PyObject_Call(replace, none, changes) : NULL;

    Py_XDECREF(changes);
    Py_XDECREF(none);
    Py_XDECREF(replace);
    return changed;
}

static PyObject *make_frame(void)
{
    PyObject *code = Py_CompileString("_getframe()", "native_tracebacks.pyx", Py_eval_input);
    PyObject *changed = code != NULL ? change(code) : NULL;
    PyObject *names = Py_BuildValue("{s:O}", "_getframe", PySys_GetObject("_getframe"));
    PyObject *frame = changed != NULL && names != NULL ? PyEval_EvalCode(changed, names, names) : NULL;

    Py_XDECREF(code);
    Py_XDECREF(changed);
    Py_XDECREF(names);
    return frame;
}

/* KeyError, with a line of this function in its traceback. Cython's own code counts on having one. */
static PyObject *pop(PyObject *self, PyObject *key)
{
    PyObject *frame = make_frame();

    (void)self;
    if (frame == NULL)
        return NULL;
    PyErr_SetObject(PyExc_KeyError, key);
    PyTraceBack_Here((PyFrameObject *)frame);
    Py_DECREF(frame);
    return NULL;
}

static PyMethodDef functions[] = {{"pop", pop, METH_O, NULL}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "native_tracebacks", .m_size = -1,
                                        .m_methods = functions};

PyMODINIT_FUNC PyInit_native_tracebacks(void);

PyMODINIT_FUNC PyInit_native_tracebacks(void)
{
    return PyModule_Create(&definition);
}
