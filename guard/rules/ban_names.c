/* exec, eval, compile, __import__ and importlib: ways around the other rules, wherever the name stands. */
#include "guard/rules/rule.h"

#include <string.h>

static const struct {
    const char *name;
    const char *remedy;
} banned[] = {
    {"exec", "write the code into the cell itself"},
    {"eval", "write the expression into the cell; ast.literal_eval reads literals"},
    {"compile", "write the code into the cell itself"},
    {"__import__", "use an import statement"},
    {"importlib", "use an import statement"},
};

static const char *find_remedy(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof(banned) / sizeof(banned[0]); i++)
        if (strcmp(banned[i].name, name) == 0)
            return banned[i].remedy;
    return NULL;
}

static int refuse(const struct node *node, const char *name, const char *remedy)
{
    cleanup_free char *found = xasprintf("uses %s", name);

    return rule_refuse(node, found, "code that is made at run time cannot be checked before it runs",
                       remedy);
}

static bool is_builtins(const char *name)
{
    return name != NULL && (strcmp(name, "builtins") == 0 || strcmp(name, "__builtins__") == 0);
}

/* builtins.exec, but not re.compile or df.eval: only the module of the built-ins is meant. */
static int check_attribute(const struct node *node)
{
    PyObject *value = node_field(node, "value");
    const char *name = node_text(node, "attr");
    const char *remedy = find_remedy(name);
    struct node of = {value, "", NULL};
    int result = 0;

    if (remedy == NULL || value == NULL)
        return 0;
    of.attributes = PyObject_GenericGetDict(value, NULL);
    if (of.attributes == NULL) {
        PyErr_Clear();
        return 0;
    }
    if (is_builtins(node_text(&of, "id")))
        result = refuse(node, name, remedy);
    Py_DECREF(of.attributes);
    return result;
}

/* from builtins import exec as harmless */
static int check_import(const struct node *node)
{
    PyObject *names = node_field(node, "names");
    int result = 0;

    if (!is_builtins(node_text(node, "module")) || names == NULL || !PyList_CheckExact(names))
        return 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_Size(names); i++) {
        PyObject *alias = PyList_GetItem(names, i);
        struct node of = {alias, "alias", PyObject_GenericGetDict(alias, NULL)};
        const char *name = of.attributes != NULL ? node_text(&of, "name") : NULL;
        const char *remedy = find_remedy(name);

        PyErr_Clear();
        if (remedy != NULL)
            result = refuse(node, name, remedy);
        Py_XDECREF(of.attributes);
    }
    return result;
}

static int check(const struct policy *policy, const struct node *node)
{
    const char *name;
    const char *remedy;

    (void)policy;
    if (node_is(node, "Attribute"))
        return check_attribute(node);
    if (node_is(node, "ImportFrom"))
        return check_import(node);
    if (!node_is(node, "Name"))
        return 0;
    name = node_text(node, "id");
    remedy = find_remedy(name);
    return remedy != NULL ? refuse(node, name, remedy) : 0;
}

const struct rule ban_names_rule = {check, "user-code rules"};
