#include "guard/audit/scoped.h"

#include "guard/audit/scope.h"
#include "guard/python/error.h"

struct scoped {
    PyObject_HEAD PyObject *capsule;
    PyObject *callable; /* or the work item */
};

static struct {
    PyTypeObject *scoped_type;
    PyTypeObject *item_type;
} state;

/* ---- something to call ---------------------------------------------------------------------- */

PyObject *scoped_call(PyObject *capsule, PyObject *callable, PyObject *args, PyObject *keywords)
{
    PyObject *token;
    PyObject *result;
    cleanup_py PyObject *error = NULL;

    if (scope_set(capsule, &token) < 0)
        return NULL;
    result = PyObject_Call(callable, args, keywords);
    error = result == NULL ? error_take() : NULL;
    if (scope_reset(token) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    if (error != NULL)
        error_raise(error);
    return result;
}

static PyObject *call_scoped(PyObject *self, PyObject *args, PyObject *keywords)
{
    struct scoped *scoped = (struct scoped *)self;

    return scoped_call(scoped->capsule, scoped->callable, args, keywords);
}

/* atexit.unregister() and kin compare. */
static PyObject *scoped_compare(PyObject *self, PyObject *other, int operation)
{
    if (Py_TYPE(self) == state.scoped_type)
        self = ((struct scoped *)self)->callable;
    if (Py_TYPE(other) == state.scoped_type)
        other = ((struct scoped *)other)->callable;
    return PyObject_RichCompare(self, other, operation);
}

static Py_hash_t scoped_hash(PyObject *self)
{
    return PyObject_Hash(((struct scoped *)self)->callable);
}

static int scoped_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct scoped *)self)->callable);
    return 0;
}

/* None in its place: a finalizer of the same garbage can still call this. */
static int scoped_clear(PyObject *self)
{
    PyObject *callable = ((struct scoped *)self)->callable;

    ((struct scoped *)self)->callable = py_own(Py_None);
    Py_XDECREF(callable);
    return 0;
}

static void scoped_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_CLEAR(((struct scoped *)self)->callable);
    Py_CLEAR(((struct scoped *)self)->capsule);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyType_Slot scoped_slots[] = {{Py_tp_call, (void *)call_scoped},
                                     {Py_tp_richcompare, (void *)scoped_compare},
                                     {Py_tp_hash, (void *)scoped_hash},
                                     {Py_tp_traverse, (void *)scoped_traverse},
                                     {Py_tp_clear, (void *)scoped_clear},
                                     {Py_tp_dealloc, (void *)scoped_dealloc},
                                     {0, NULL}};

static PyType_Spec scoped_spec = {.name = "safepyrun._guard.Scoped",
                                  .basicsize = sizeof(struct scoped),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                           Py_TPFLAGS_IMMUTABLETYPE |
                                           Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                  .slots = scoped_slots};

/* ---- the work item of an executor ------------------------------------------------------------ */

/* `work_item.run()` of a worker, whatever the item is. */
static PyObject *item_run(PyObject *self, PyObject *args, PyObject *keywords)
{
    struct scoped *scoped = (struct scoped *)self;
    cleanup_py PyObject *run = PyObject_GetAttrString(scoped->callable, "run");

    return run != NULL ? scoped_call(scoped->capsule, run, args, keywords) : NULL;
}

static PyObject *item_get(PyObject *self, PyObject *name)
{
    PyObject *found = PyObject_GenericGetAttr(self, name);

    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return found;
    PyErr_Clear();
    return PyObject_GetAttr(((struct scoped *)self)->callable, name); /* "future" */
}

static PyMethodDef item_methods[] = {
    {"run", (PyCFunction)(void *)item_run, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL}};

static PyType_Slot item_slots[] = {
    {Py_tp_getattro, (void *)item_get},        {Py_tp_methods, item_methods},
    {Py_tp_traverse, (void *)scoped_traverse}, {Py_tp_clear, (void *)scoped_clear},
    {Py_tp_dealloc, (void *)scoped_dealloc},   {0, NULL}};

static PyType_Spec item_spec = {.name = "safepyrun._guard.ScopedItem",
                                .basicsize = sizeof(struct scoped),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                         Py_TPFLAGS_IMMUTABLETYPE |
                                         Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                .slots = item_slots};

/* ---- making ---------------------------------------------------------------------------------- */

static PyObject *make_scoped(PyTypeObject *type, PyObject *capsule, PyObject *object)
{
    struct scoped *scoped = PyObject_GC_New(struct scoped, type);

    if (scoped == NULL) {
        Py_DECREF(capsule);
        return NULL;
    }
    scoped->capsule = capsule;
    scoped->callable = py_own(object);
    PyObject_GC_Track(scoped);
    return (PyObject *)scoped;
}

PyObject *scoped_new(PyObject *capsule, PyObject *callable)
{
    return make_scoped(state.scoped_type, capsule, callable);
}

PyObject *scoped_item_new(PyObject *capsule, PyObject *item)
{
    return make_scoped(state.item_type, capsule, item);
}

PyObject *scoped_inner(PyObject *object)
{
    return Py_TYPE(object) == state.scoped_type ? ((struct scoped *)object)->callable : NULL;
}

PyObject *scoped_item_inner(PyObject *object)
{
    return Py_TYPE(object) == state.item_type ? ((struct scoped *)object)->callable : NULL;
}

int scoped_start(void)
{
    if (state.scoped_type == NULL)
        state.scoped_type = (PyTypeObject *)PyType_FromSpec(&scoped_spec);
    if (state.scoped_type != NULL && state.item_type == NULL)
        state.item_type = (PyTypeObject *)PyType_FromSpec(&item_spec);
    return state.item_type != NULL ? 0 : -1;
}
