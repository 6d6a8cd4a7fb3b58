#include "guard/hosts/runner_type.h"

#include "guard/hosts/host_options.h"
#include "guard/hosts/run.h"

#include <stddef.h>

static struct run_glue glue;

static int remember_glue(void)
{
    static const struct {
        const char *name;
        size_t offset;
    } functions[] = {{"srcfn", offsetof(struct run_glue, name_source)},
                     {"wait_for_tasks", offsetof(struct run_glue, wait_for_tasks)},
                     {"cancel_tasks", offsetof(struct run_glue, cancel_tasks)},
                     {"_Capture", offsetof(struct run_glue, make_capture)}};
    cleanup_py PyObject *module = NULL;

    if (glue.make_capture != NULL)
        return 0;
    module = PyImport_ImportModule("safepyrun._runpython");
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        PyObject *function =
            module != NULL ? PyObject_GetAttrString(module, functions[i].name) : NULL;

        if (function == NULL)
            return -1;
        *(PyObject **)((char *)&glue + functions[i].offset) = function;
    }
    return 0;
}

/* Runner(namespace, options): see host_options.h; also "only_suffix" and "captures". */
static int runner_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    struct runner *runner = (struct runner *)self;
    PyObject *space;
    PyObject *options;

    (void)keywords;
    if (!PyArg_ParseTuple(args, "O!O!:Runner", &PyDict_Type, &space, &PyDict_Type, &options))
        return -1;
    if (runner->scope != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this object is initialised already");
        return -1;
    }
    if (remember_glue() < 0 || run_start() < 0)
        return -1;
    runner->scope = host_options_scope(options);
    if (runner->scope == NULL)
        return -1;
    runner->glue = &glue;
    runner->captures = PyDict_GetItemString(options, "captures") == Py_True;
    return namespace_init(&runner->space, space,
                          PyDict_GetItemString(options, "only_suffix") == Py_True);
}

static PyObject *runner_run(PyObject *self, PyObject *source)
{
    struct runner *runner = (struct runner *)self;

    if (runner->scope == NULL || runner->space.builtins == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this object was never initialised");
        return NULL;
    }
    return run_new(runner, source);
}

static PyObject *runner_set_data(PyObject *self, PyObject *data)
{
    struct runner *runner = (struct runner *)self;

    if (runner->scope == NULL || host_options_set_data(runner->scope, data) < 0)
        return NULL;
    return py_own(Py_None);
}

static PyObject *runner_namespace(PyObject *self, void *unused)
{
    struct runner *runner = (struct runner *)self;

    (void)unused;
    return py_own(runner->space.outer != NULL ? runner->space.outer : Py_None);
}

static void runner_dealloc(PyObject *self)
{
    struct runner *runner = (struct runner *)self;
    PyTypeObject *type = Py_TYPE(self);

    namespace_finish(&runner->space);
    scope_release(steal(runner->scope));
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"run", runner_run, METH_O, "run(code)\n--\n\nAn awaitable that runs a cell."},
    {"_set_data", runner_set_data, METH_O, NULL},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef attributes[] = {{"g", runner_namespace, NULL, "The host's namespace.", NULL},
                                   {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {{Py_tp_init, (void *)runner_init},
                              {Py_tp_dealloc, (void *)runner_dealloc},
                              {Py_tp_methods, methods},
                              {Py_tp_getset, attributes},
                              {0, NULL}};

static PyType_Spec spec = {.name = "safepyrun._guard.Runner",
                           .basicsize = sizeof(struct runner),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE |
                                    Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int runner_type_add(PyObject *module)
{
    cleanup_py PyObject *type = PyType_FromSpec(&spec);

    return type != NULL ? PyModule_AddObjectRef(module, "Runner", type) : -1;
}
