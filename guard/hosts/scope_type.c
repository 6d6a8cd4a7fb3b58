#include "guard/hosts/scope_type.h"

#include "guard/audit/native_calls.h"
#include "guard/audit/texts.h"
#include "guard/hosts/host_options.h"
#include "guard/hosts/seal.h"

struct audit {
    PyObject_HEAD
    struct scope *scope;
};

struct entry {
    PyObject_HEAD
    struct scope *scope;
    PyObject *token; /* NULL while it is not entered */
    bool monitors;   /* native calls are looked at until the end */
};

static PyTypeObject *entry_type;

/* ---- Entry: one `with` ---------------------------------------------------------------------- */

static int end_monitoring(struct entry *entry)
{
    bool monitors = entry->monitors;

    entry->monitors = false;
    return monitors ? native_calls_end() : 0;
}

static PyObject *entry_enter(PyObject *self, PyObject *unused)
{
    struct entry *entry = (struct entry *)self;
    cleanup_py PyObject *capsule = NULL;

    (void)unused;
    if (entry->token != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this guard is entered already: call it once more for another entry");
        return NULL;
    }
    if (host_options_refuse_inside(entry->scope, "safepyrun.enter", "enter another guard") < 0)
        return NULL;
    capsule = scope_entry_new(entry->scope);
    if (capsule == NULL ||
        (entry->scope->monitors && (native_calls_restart() < 0 || native_calls_begin() < 0)))
        return NULL;
    entry->monitors = entry->scope->monitors;
    if (scope_set(capsule, &entry->token) == 0)
        return py_own(Py_None);
    end_monitoring(entry);
    return NULL;
}

static PyObject *entry_exit(PyObject *self, PyObject *args)
{
    struct entry *entry = (struct entry *)self;

    (void)args;
    if (entry->token != NULL && scope_reset(steal(entry->token)) < 0)
        return NULL;
    return end_monitoring(entry) == 0 ? py_own(Py_False) : NULL;
}

static void entry_dealloc(PyObject *self)
{
    struct entry *entry = (struct entry *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject *kept_type;
    PyObject *kept_value;
    PyObject *kept_traceback;

    PyErr_Fetch(&kept_type, &kept_value, &kept_traceback);
    Py_CLEAR(entry->token);
    if (end_monitoring(entry) < 0)
        PyErr_Clear(); /* nobody is there to be told; the callback finds no scope */
    PyErr_Restore(kept_type, kept_value, kept_traceback);
    scope_release(steal(entry->scope));
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef entry_methods[] = {{"__enter__", entry_enter, METH_NOARGS, NULL},
                                      {"__exit__", entry_exit, METH_VARARGS, NULL},
                                      {NULL, NULL, 0, NULL}};

static PyType_Slot entry_slots[] = {
    {Py_tp_dealloc, (void *)entry_dealloc}, {Py_tp_methods, entry_methods}, {0, NULL}};

static PyType_Spec entry_spec = {.name = "safepyrun._guard.Entry",
                                 .basicsize = sizeof(struct entry),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
                                          Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                 .slots = entry_slots};

/* ---- Audit ---------------------------------------------------------------------------------- */

static PyObject *audit_make(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    struct audit *audit;
    struct scope *scope;
    PyObject *options;

    (void)keywords;
    if (!PyArg_ParseTuple(args, "O!:Audit", &PyDict_Type, &options))
        return NULL;
    scope = host_options_scope(options);
    if (scope == NULL)
        return NULL;
    audit = PyObject_New(struct audit, type);
    if (audit == NULL) {
        scope_release(scope);
        return NULL;
    }
    audit->scope = scope;
    return (PyObject *)audit;
}

static PyObject *audit_call(PyObject *self, PyObject *args, PyObject *keywords)
{
    struct audit *audit = (struct audit *)self;
    struct entry *entry;

    if (PyTuple_Size(args) != 0 || keywords != NULL) {
        PyErr_SetString(PyExc_TypeError, "a guard is entered without arguments");
        return NULL;
    }
    entry = PyObject_New(struct entry, entry_type);
    if (entry == NULL)
        return NULL;
    entry->scope = audit->scope;
    entry->token = NULL;
    entry->monitors = false;
    scope_reference(entry->scope);
    return (PyObject *)entry;
}

static PyObject *audit_set_data(PyObject *self, PyObject *data)
{
    if (host_options_set_data(((struct audit *)self)->scope, data) < 0)
        return NULL;
    return py_own(data);
}

static PyObject *tuple_of(const struct string_list *texts)
{
    cleanup_py PyObject *list = texts_list(texts);

    return list != NULL ? PyList_AsTuple(list) : NULL;
}

/* Positional names, as many as there are. */
static PyObject *audit_add_imports(PyObject *self, PyObject *names)
{
    struct scope *scope = ((struct audit *)self)->scope;

    return host_options_add_imports(scope, names) == 0 ? tuple_of(&scope->import_allow) : NULL;
}

static void audit_dealloc(PyObject *self)
{
    struct audit *audit = (struct audit *)self;
    PyTypeObject *type = Py_TYPE(self);

    scope_release(steal(audit->scope));
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef audit_methods[] = {
    {"set_data", audit_set_data, METH_O,
     "set_data(data)\n--\n\nWhat callbacks are given, from the next entry on."},
    {"add_imports", audit_add_imports, METH_VARARGS,
     "add_imports(*names)\n--\n\nModules that may do what they need while they are imported."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot audit_slots[] = {{Py_tp_new, (void *)audit_make},
                                    {Py_tp_call, (void *)audit_call},
                                    {Py_tp_dealloc, (void *)audit_dealloc},
                                    {Py_tp_methods, audit_methods},
                                    {0, NULL}};

static PyType_Spec audit_spec = {.name = "safepyrun._guard.Audit",
                                 .basicsize = sizeof(struct audit),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                                 .slots = audit_slots};

/* ---- audit_state() -------------------------------------------------------------------------- */

static PyObject *audit_state(PyObject *self, PyObject *unused)
{
    static const struct string_list nothing = {NULL, 0};
    const struct scope *scope = scope_current();
    int tool = native_calls_tool();
    cleanup_py PyObject *tool_id = tool >= 0 ? PyLong_FromLong(tool) : py_own(Py_None);
    cleanup_py PyObject *safe = tuple_of(scope != NULL ? &scope->safe_native : &nothing);
    cleanup_py PyObject *imports = tuple_of(scope != NULL ? &scope->import_allow : &nothing);

    (void)self;
    (void)unused;
    if (tool_id == NULL || safe == NULL || imports == NULL)
        return NULL;
    return Py_BuildValue("{sOsOsOsIsOsOsO}", "active", scope != NULL ? Py_True : Py_False,
                         "monitoring", PySys_GetObject("monitoring") != NULL ? Py_True : Py_False,
                         "tool_id", tool_id, "monitor_on", native_calls_open(), "monitor_calls",
                         scope == NULL ? Py_None : (scope->monitors ? Py_True : Py_False),
                         "safe_native", safe, "import_allow", imports);
}

/* As a decorator. */
static PyObject *seal(PyObject *self, PyObject *type)
{
    (void)self;
    return seal_type(type) == 0 ? py_own(type) : NULL;
}

static PyMethodDef functions[] = {{"audit_state", audit_state, METH_NOARGS, NULL},
                                  {"seal", seal, METH_O, "Make a class constant."},
                                  {NULL, NULL, 0, NULL}};

int scope_type_add(PyObject *module)
{
    cleanup_py PyObject *type = PyType_FromSpec(&audit_spec);

    if (entry_type == NULL)
        entry_type = (PyTypeObject *)PyType_FromSpec(&entry_spec);
    if (type == NULL || entry_type == NULL || PyModule_AddFunctions(module, functions) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "Audit", type);
}
