/* def, async def and class: a cell says what to do, step by step, where a person can follow it. */
#include "guard/rules/rule.h"

#define OR_ALLOW ", or set ban_defs = false in the policy file"

struct definition {
    const char *node;
    const char *word;
    const char *remedy;
};

static const struct definition definitions[] = {
    {"FunctionDef", "def", "write the steps out, use a lambda or a comprehension" OR_ALLOW},
    {"AsyncFunctionDef", "async def", "write the steps out, await works in the cell itself" OR_ALLOW},
    {"ClassDef", "class", "use a dict, types.SimpleNamespace or collections.namedtuple" OR_ALLOW},
};

static const struct definition *find_definition(const struct node *node)
{
    for (size_t i = 0; i < sizeof(definitions) / sizeof(definitions[0]); i++)
        if (node_is(node, definitions[i].node))
            return &definitions[i];
    return NULL;
}

static int check(const struct policy *policy, const struct node *node)
{
    const struct definition *definition = policy->ban_defs ? find_definition(node) : NULL;
    const char *name;
    cleanup_free char *found = NULL;

    if (definition == NULL)
        return 0;
    name = node_text(node, "name");
    found = xasprintf("defines %s %s", definition->word, name != NULL ? name : "");
    return rule_refuse(node, found, "ban_defs = true", definition->remedy);
}

const struct rule ban_defs_rule = {check, "ban_defs"};
