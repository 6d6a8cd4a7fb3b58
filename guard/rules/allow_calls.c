/* mode = "allow": of what the set-up files define, only what they have registered with allow(). */
#include "guard/rules/rule.h"

#include "guard/python/py_cleanup.h"

static int check(const struct policy *policy, const struct node *node)
{
    const char *name;
    cleanup_free char *found = NULL;
    cleanup_free char *remedy = NULL;

    if (policy->unregistered.count == 0 || !node_is(node, "Name"))
        return 0;
    name = node_text(node, "id");
    if (name == NULL || !string_list_has(&policy->unregistered, name))
        return 0;
    found = xasprintf("uses %s", name);
    remedy = xasprintf("call allow(%s) in the set-up file that defines it", name);
    return rule_refuse(node, found,
                       "mode is \"allow\", and this function is not registered as a tool", remedy);
}

const struct rule allow_calls_rule = {check, "allow"};
