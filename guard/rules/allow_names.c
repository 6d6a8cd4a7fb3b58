/* mode = "allow": of the built-in names only the listed ones, and no way around through dunder
 * attributes. */
#include "guard/rules/rule.h"

#include "guard/python/py_cleanup.h"

#include <string.h>

/*
 * The names of the built-ins as they were before the first cell; exceptions are left out, they need
 * no listing. A cell can add names to builtins, and they are its own; it cannot take one out of
 * this set.
 */
static PyObject *builtin_names;

static int remember_name(PyObject *name, PyObject *value)
{
    if (PyType_Check(value) &&
        PyType_IsSubtype((PyTypeObject *)value, (PyTypeObject *)PyExc_BaseException))
        return 0;
    return PySet_Add(builtin_names, name);
}

static int remember_names(void)
{
    PyObject *names = PyEval_GetBuiltins(); /* borrowed */
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    builtin_names = names != NULL ? py_hide(PySet_New(NULL)) : NULL;
    if (builtin_names == NULL)
        return -1;
    while (PyDict_Next(names, &at, &name, &value))
        if (remember_name(name, value) < 0)
            return -1;
    return 0;
}

static bool is_dunder(const char *name)
{
    size_t size = strlen(name);

    return size > 4 && strncmp(name, "__", 2) == 0 && strcmp(name + size - 2, "__") == 0;
}

static bool is_harmless_dunder(const char *name)
{
    static const char *const harmless[] = {"__name__", "__doc__",  "__version__", "__init__",
                                           "__len__",  "__file__", "__all__",     NULL};

    for (size_t i = 0; harmless[i] != NULL; i++)
        if (strcmp(name, harmless[i]) == 0)
            return true;
    return false;
}

static int check_attribute(const struct node *node)
{
    const char *name = node_text(node, "attr");
    cleanup_free char *found = NULL;

    if (name == NULL || !is_dunder(name) || is_harmless_dunder(name))
        return 0;
    found = xasprintf("uses the attribute %s", name);
    return rule_refuse(node, found,
                       "mode is \"allow\", and such attributes lead to names that are not listed",
                       "do without it, or set mode = \"restrict\" in the policy file");
}

/* Also where the cell has a variable of that name: whether it has one is not known before it runs.
 */
static int check_name(const struct policy *policy, const struct node *node)
{
    PyObject *id = node_field(node, "id");
    const char *name = node_text(node, "id");
    cleanup_free char *found = NULL;

    if (name == NULL || is_harmless_dunder(name) ||
        string_list_has(&policy->allowed_builtins, name))
        return 0;
    if (!is_dunder(name) && PySet_Contains(builtin_names, id) != 1)
        return 0;
    found = xasprintf("uses %s", name);
    return rule_refuse(node, found,
                       "mode is \"allow\", and this built-in is not in allowed_builtins",
                       "do without it, or write allowed_builtins with it, beside those that %guard policy shows, in the policy file");
}

static bool is_stored(const struct node *node)
{
    PyObject *context = node_field(node, "ctx");
    cleanup_py PyObject *type_name = context != NULL ? PyType_GetName(Py_TYPE(context)) : NULL;

    return type_name != NULL && PyUnicode_CompareWithASCIIString(type_name, "Store") == 0;
}

static int check(const struct policy *policy, const struct node *node)
{
    if (!policy->allow_mode)
        return 0;
    if (builtin_names == NULL && remember_names() < 0)
        return -1;
    if (node_is(node, "Attribute"))
        return check_attribute(node);
    return node_is(node, "Name") && !is_stored(node) ? check_name(policy, node) : 0;
}

const struct rule allow_names_rule = {check, "allowed_builtins"};
