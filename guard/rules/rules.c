#include "guard/rules/rules.h"

#include "guard/policy/verdict.h"
#include "guard/python/compat.h"
#include "guard/python/py_cleanup.h"
#include "guard/rules/rule.h"

#include <errno.h>

#define USER_CODE_RULES "user-code rules"

static const struct rule *const rules[] = {&ban_imports_rule, &ban_defs_rule, &ban_names_rule,
                                          &ban_builtins_rule, &allow_names_rule, &allow_calls_rule};

/*
 * The node types of this Python and their fields, as they were before the first cell: a cell can
 * change `_fields` of a type, and must not hide a part of the next cell from the walk with it.
 * type object -> tuple of field names
 */
static PyObject *fields_of_type;
static PyObject *place_names; /* what compile() reads of every node beside its fields */

static int remember_type(PyObject *type)
{
    cleanup_py PyObject *fields = PyObject_GetAttrString(type, "_fields");

    if (fields == NULL || !PyTuple_Check(fields)) {
        PyErr_Clear(); /* a name of the module that is no node type */
        return 0;
    }
    return PyDict_SetItem(fields_of_type, type, fields);
}

static int remember_types(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_ast");
    PyObject *names = module != NULL ? PyModule_GetDict(module) : NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (names == NULL)
        return -1;
    place_names = Py_BuildValue("(ssss)", "lineno", "col_offset", "end_lineno", "end_col_offset");
    fields_of_type = place_names != NULL ? PyDict_New() : NULL;
    if (fields_of_type == NULL)
        return -1;
    while (PyDict_Next(names, &at, &name, &value))
        if (PyType_Check(value) && remember_type(value) < 0)
            return -1;
    py_hide(fields_of_type);
    return 0;
}

PyObject *node_field(const struct node *node, const char *name)
{
    return PyDict_GetItemString(node->attributes, name);
}

const char *node_text(const struct node *node, const char *name)
{
    PyObject *value = node_field(node, name);
    const char *text;

    if (value == NULL || !PyUnicode_Check(value))
        return NULL;
    text = PyUnicode_AsUTF8AndSize(value, NULL);
    if (text == NULL)
        PyErr_Clear(); /* a lone surrogate: no name that any rule knows */
    return text;
}

bool node_is(const struct node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

static void (*on_refusal)(const struct rule_refusal *refusal);
static const char *current_key = USER_CODE_RULES; /* of the rule that looks at a node */
static bool current_has_file; /* whether its policy comes from files, or from a program's arguments */

void rules_set_refusal_callback(void (*function)(const struct rule_refusal *refusal))
{
    on_refusal = function;
}

static int refuse(const char *found, const char *words, const char *reason, const char *remedy)
{
    char without_file[DENIAL_TEXT];
    cleanup_free char *text = NULL;
    cleanup_py PyObject *exception = NULL;

    if (!current_has_file)
        remedy = verdict_remedy_of_program(remedy, without_file, sizeof(without_file));
    text = verdict_sentence(words, reason, remedy);
    if (on_refusal != NULL)
        on_refusal(&(struct rule_refusal){.rule = current_key,
                                          .found = found,
                                          .words = words,
                                          .reason = reason,
                                          .remedy = remedy,
                                          .message = text});
    exception = PyObject_CallFunction(PyExc_PermissionError, "is", EACCES, text);
    if (exception != NULL)
        PyErr_SetObject(PyExc_PermissionError, exception);
    return -1;
}

int rule_refuse(const struct node *node, const char *found, const char *reason, const char *remedy)
{
    PyObject *line = node_field(node, "lineno");
    long number = line != NULL && PyLong_CheckExact(line) ? PyLong_AsLong(line) : 0;
    cleanup_free char *words = xasprintf("run this cell: line %ld %s", number, found);

    PyErr_Clear(); /* a line beyond a long */
    return refuse(found, words, reason, remedy);
}

int rule_refuse_by(const char *key, const struct node *node, const char *found, const char *reason,
                   const char *remedy)
{
    current_key = key;
    return rule_refuse(node, found, reason, remedy);
}

/* What has no row in this Python's grammar is nothing that can be judged. */
static int refuse_unknown(void)
{
    return refuse("", "run this cell", "its tree holds an object that is no node of Python's grammar", "");
}

static int check_node(const struct policy *policy, const struct node *node)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof(rules) / sizeof(rules[0]); i++) {
        current_key = rules[i]->key;
        result = rules[i]->check(policy, node);
    }
    current_key = USER_CODE_RULES;
    return result;
}

/* compile() takes for a node or a list whatever says that it is one, and asks its class for what is in it. */
static bool is_plain(PyObject *value)
{
    return value == Py_None || value == Py_Ellipsis || PyBool_Check(value) || PyUnicode_CheckExact(value) ||
           PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyComplex_CheckExact(value) ||
           PyBytes_CheckExact(value) || PyTuple_CheckExact(value) || PyFrozenSet_CheckExact(value);
}

/* The last first: what is read from the stack comes in the order of the text, and so does what is refused. */
static int push_nodes(PyObject *stack, PyObject *value)
{
    if (value == NULL || is_plain(value))
        return 0;
    if (!PyList_CheckExact(value))
        return PyDict_Contains(fields_of_type, (PyObject *)Py_TYPE(value)) == 1
                   ? PyList_Append(stack, value)
                   : refuse_unknown();
    for (Py_ssize_t i = PyList_Size(value); i > 0; i--)
        if (push_nodes(stack, PyList_GetItem(value, i - 1)) < 0)
            return -1;
    return 0;
}

/* No property of the class, no value for all its objects and no function stands between an object's own dict and
   compile(). */
static bool is_as_made(PyTypeObject *type, PyObject *names)
{
    if (PyType_GetSlot(type, Py_tp_getattro) != (void *)PyObject_GenericGetAttr)
        return false;
    for (Py_ssize_t i = 0; i < PyTuple_Size(names); i++) {
        PyObject *value = compat.type_lookup(type, PyTuple_GetItem(names, i));

        if (value != NULL && value != Py_None)
            return false;
    }
    return true;
}

/* Borrowed; NULL for what is no node type, or is one no more as Python made it. */
static PyObject *fields_of(PyTypeObject *type)
{
    PyObject *fields = PyDict_GetItem(fields_of_type, (PyObject *)type);

    return fields != NULL && is_as_made(type, fields) && is_as_made(type, place_names) ? fields : NULL;
}

/* Judges one node and puts what is inside of it on the stack. */
static int visit(const struct policy *policy, PyObject *stack, PyObject *object)
{
    PyObject *fields = fields_of(Py_TYPE(object));
    cleanup_py PyObject *type_name = PyType_GetName(Py_TYPE(object));
    cleanup_py PyObject *attributes = PyObject_GenericGetDict(object, NULL);
    struct node node = {object, NULL, attributes};

    if (fields == NULL || type_name == NULL || attributes == NULL)
        return refuse_unknown();
    node.type = PyUnicode_AsUTF8AndSize(type_name, NULL);
    if (node.type == NULL || check_node(policy, &node) < 0)
        return -1;
    for (Py_ssize_t i = PyTuple_Size(fields); i > 0; i--) {
        PyObject *value = PyDict_GetItem(attributes, PyTuple_GetItem(fields, i - 1));

        if (push_nodes(stack, value) < 0)
            return -1;
    }
    return 0;
}

/* A stack of our own: the depth of the tree is the cell's to choose. */
int rules_check(const struct policy *policy, PyObject *ast)
{
    cleanup_py PyObject *stack = NULL;

    if (policy->preset == POLICY_OPEN)
        return 0;
    if (fields_of_type == NULL && remember_types() < 0)
        return -1;
    stack = PyList_New(0);
    if (stack == NULL || PyList_Append(stack, ast) < 0)
        return -1;
    current_has_file = !policy->of_program;
    while (PyList_Size(stack) != 0) {
        Py_ssize_t last = PyList_Size(stack) - 1;
        cleanup_py PyObject *object = py_own(PyList_GetItem(stack, last));

        if (PyList_SetSlice(stack, last, last + 1, NULL) < 0 || visit(policy, stack, object) < 0)
            return -1;
    }
    return 0;
}
