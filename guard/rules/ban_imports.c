/* import x · import x.y as z · from x import … · from . import …: judged by
 * guard/policy/import_rules. */
#include "guard/policy/import_rules.h"
#include "guard/rules/rule.h"

#include <string.h>

#define OR_WRITE ", or write ban_imports without it in the policy file"

/* What those want who import it. */
static const char *remedy_for(const struct policy *policy, const char *banned)
{
    static const struct {
        const char *module;
        const char *in_kernel;
        const char *in_program; /* RunPython: no policy file, no set-up files */
    } rows[] = {
        {"socket", "platform.node() is the machine's name, and libraries reach what network.allow lists" OR_WRITE,
         "platform.node() is the machine's name" OR_WRITE},
        {"safepyrun", "call allow() in a file of [setup] files: a cell cannot give itself rights",
         "the host program calls allow(): a cell cannot give itself rights"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].module, banned) == 0)
            return policy->of_program ? rows[i].in_program : rows[i].in_kernel;
    return "do without it" OR_WRITE;
}

static int refuse(const struct policy *policy, const struct node *node, const char *module,
                  const char *banned)
{
    cleanup_free char *found = xasprintf("imports %s", module);
    cleanup_free char *reason = NULL;

    if (banned == NULL)
        return rule_refuse_by("allowed_imports", node, found,
                              "mode is \"allow\", and it is not in allowed_imports",
                              "do without it, or write allowed_imports with it, beside those that %guard policy shows, in the policy file");
    if (strcmp(banned, "importlib") == 0)
        return rule_refuse(node, found, "importlib imports any module under any name",
                           "import the module that you need by its own name; its __version__ is its version");
    reason = xasprintf("\"%s\" is in ban_imports", banned);
    return rule_refuse(node, found, reason, remedy_for(policy, banned));
}

static int check_module(const struct policy *policy, const struct node *node, const char *module)
{
    const char *banned = NULL;

    if (module == NULL ||
        import_rules_ask(policy, bytes_of_string(module), &banned) == IMPORT_ALLOWED)
        return 0;
    return refuse(policy, node, module, banned);
}

static bool is_allowed(const struct policy *policy, const char *module)
{
    const char *banned;

    return module != NULL &&
           import_rules_ask(policy, bytes_of_string(module), &banned) == IMPORT_ALLOWED;
}

/* `import x.y` binds x: all of it, not only y. */
static int check_import_name(const struct policy *policy, const struct node *node,
                             const char *module, bool is_renamed)
{
    cleanup_free char *top = xstrndup(module, strcspn(module, "."));

    if (check_module(policy, node, module) < 0)
        return -1;
    return is_renamed ? 0 : check_module(policy, node, top);
}

static int check_alias(const struct policy *policy, const struct node *node, PyObject *alias,
                       const char *package)
{
    PyObject *attributes = PyObject_GenericGetDict(alias, NULL);
    struct node view = {alias, "alias", attributes};
    const char *name = attributes != NULL ? node_text(&view, "name") : NULL;
    int result = 0;

    PyErr_Clear();
    if (name != NULL && package == NULL)
        result = check_import_name(policy, node, name, node_text(&view, "asname") != NULL);
    if (name != NULL && package != NULL) {
        /* `from x import y` may mean the module x.y. */
        cleanup_free char *module = xasprintf("%s.%s", package, name);

        result = check_module(policy, node, module);
    }
    Py_XDECREF(attributes);
    return result;
}

static int check_names(const struct policy *policy, const struct node *node, const char *package)
{
    PyObject *names = node_field(node, "names");
    int result = 0;

    if (names == NULL || !PyList_CheckExact(names))
        return 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_Size(names); i++)
        result = check_alias(policy, node, PyList_GetItem(names, i), package);
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
    /* In allow mode x.y may be listed without x. */
    if (!policy->allow_mode && check_module(policy, node, module) < 0)
        return -1;
    if (policy->allow_mode && is_allowed(policy, module))
        return 0;
    return check_names(policy, node, module);
}

const struct rule ban_imports_rule = {check, "ban_imports"};
