#include "guard/policy/import_rules.h"

#include <string.h>

static bool is_or_is_below(struct bytes module, const char *parent)
{
    size_t size = strlen(parent);

    return module.size >= size && memcmp(module.data, parent, size) == 0 &&
           (module.size == size || ((const char *)module.data)[size] == '.');
}

static const char *find_parent(const struct string_list *list, struct bytes module)
{
    for (size_t i = 0; i < list->count; i++)
        if (is_or_is_below(module, list->items[i]))
            return list->items[i];
    return NULL;
}

enum import_answer import_rules_ask(const struct policy *policy, struct bytes module,
                                    const char **ret_banned)
{
    if (is_or_is_below(module, "importlib")) {
        *ret_banned = "importlib";
        return IMPORT_BANNED;
    }
    if (policy->allow_mode)
        return find_parent(&policy->allowed_imports, module) != NULL ? IMPORT_ALLOWED
                                                                     : IMPORT_NOT_LISTED;
    *ret_banned = find_parent(&policy->ban_imports, module);
    return *ret_banned != NULL ? IMPORT_BANNED : IMPORT_ALLOWED;
}
