#include "kernel/execution/errand_environment.h"

#include "guard/link/buffer.h"
#include "guard/policy/env_names.h"

/* No pager could be left again. */
static const struct {
    const char *name;
    const char *value; /* NULL: ours, not the command's */
} own[] = {
    {"PAGER", "cat"},
    {"GIT_PAGER", "cat"},
    {"JPY_PARENT_PID", NULL},
};

static bool is_own(const char *name)
{
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(own[i].name, name) == 0)
            return true;
    return false;
}

static bool passes(const struct policy *policy, const char *item)
{
    const char *equals = strchr(item, '=');
    cleanup_free char *name = equals != NULL ? xstrndup(item, (size_t)(equals - item)) : NULL;

    return name != NULL && !is_own(name) && !env_names_hide(policy, name, equals + 1);
}

void errand_environment_make(const struct policy *policy, struct environment *environment)
{
    for (char **item = environ; *item != NULL; item++)
        if (passes(policy, *item))
            environment_add(environment, xstrdup(*item));
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (own[i].value != NULL)
            environment_add(environment, xasprintf("%s=%s", own[i].name, own[i].value));
}
