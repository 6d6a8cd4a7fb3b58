/* def, async def and class: a cell says what to do, step by step, where a person can follow it. */
#include "guard/rules/rule.h"

static const char *definition_word(const struct node *node)
{
    if (node_is(node, "FunctionDef"))
        return "def";
    if (node_is(node, "AsyncFunctionDef"))
        return "async def";
    return node_is(node, "ClassDef") ? "class" : NULL;
}

static int check(const struct policy *policy, const struct node *node)
{
    const char *word = policy->ban_defs ? definition_word(node) : NULL;
    const char *name;
    cleanup_free char *found = NULL;

    if (word == NULL)
        return 0;
    name = node_text(node, "name");
    found = xasprintf("defines %s %s", word, name != NULL ? name : "");
    return rule_refuse(node, found, "ban_defs = true",
                       "write the steps out, use a lambda or a comprehension, or set ban_defs = "
                       "false in the policy file");
}

const struct rule ban_defs_rule = {check, "ban_defs"};
