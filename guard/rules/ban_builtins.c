/*
 * ban_builtins: built-in names that a cell may not use, in restrict mode
 *
 * By name, as the key says: a way around it gives the cell a function, never an effect that the audit hook
 * would have refused.
 */
#include "guard/rules/rule.h"

static int check(const struct policy *policy, const struct node *node)
{
    const char *name = node_is(node, "Name") ? node_text(node, "id") : NULL;
    cleanup_free char *found = NULL;

    if (policy->allow_mode || name == NULL || !string_list_has(&policy->ban_builtins, name))
        return 0;
    found = xasprintf("uses %s", name);
    return rule_refuse(node, found, "it is in ban_builtins", "remove it from ban_builtins in the policy file");
}

const struct rule ban_builtins_rule = {check, "ban_builtins"};
