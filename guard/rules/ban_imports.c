/* import x · import x.y as z · from x import … · from . import …: a banned module takes its submodules along. */
#include "guard/rules/rule.h"

#include <string.h>

static bool is_or_is_below(const char *module, const char *banned)
{
    size_t length = strlen(banned);

    return strncmp(module, banned, length) == 0 &&
           (module[length] == '\0' || module[length] == '.');
}

static const char *find_ban(const struct policy *policy, const char *module)
{
    for (size_t i = 0; i < policy->ban_imports.count; i++)
        if (is_or_is_below(module, policy->ban_imports.items[i]))
            return policy->ban_imports.items[i];
    return NULL;
}

static int refuse(const struct node *node, const char *module, const char *banned)
{
    cleanup_free char *found = xasprintf("imports %s", module);
    cleanup_free char *reason = xasprintf("\"%s\" is in ban_imports", banned);

    return rule_refuse(node, found, reason,
                       "do without it, or take it out of ban_imports in the policy file");
}

static int check_module(const struct policy *policy, const struct node *node, const char *module)
{
    const char *banned = module != NULL ? find_ban(policy, module) : NULL;

    return banned != NULL ? refuse(node, module, banned) : 0;
}

/* The alias nodes of an import, each as a view. */
static const char *alias_name(PyObject *names, Py_ssize_t index, PyObject **ret_attributes)
{
    PyObject *alias = PyList_GetItem(names, index);
    struct node node = {alias, "alias", PyObject_GenericGetDict(alias, NULL)};

    *ret_attributes = node.attributes;
    if (node.attributes == NULL) {
        PyErr_Clear();
        return NULL;
    }
    return node_text(&node, "name");
}

/* `from x import y` may mean the module x.y. */
static int check_names(const struct policy *policy, const struct node *node, const char *package)
{
    PyObject *names = node_field(node, "names");
    int result = 0;

    if (names == NULL || !PyList_CheckExact(names))
        return 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_Size(names); i++) {
        PyObject *attributes;
        const char *name = alias_name(names, i, &attributes);

        if (name != NULL) {
            cleanup_free char *module =
                package != NULL ? xasprintf("%s.%s", package, name) : xstrdup(name);

            result = check_module(policy, node, module);
        }
        Py_XDECREF(attributes);
    }
    return result;
}

static int check(const struct policy *policy, const struct node *node)
{
    const char *module;

    if (node_is(node, "Import"))
        return check_names(policy, node, NULL);
    if (!node_is(node, "ImportFrom"))
        return 0;
    /* A relative import has no package in a cell; what it names is judged as if it had none. */
    module = node_text(node, "module");
    if (check_module(policy, node, module) < 0)
        return -1;
    return check_names(policy, node, module);
}

const struct rule ban_imports_rule = {check};
