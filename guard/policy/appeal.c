#include "guard/policy/appeal.h"

#include <string.h>

bool excuses_hold(const struct excuses *excuses, const char *rule, const char *subject)
{
    for (unsigned i = 0; excuses != NULL && i < excuses->count; i++)
        if (strcmp(excuses->items[i].rule, rule) == 0 &&
            strcmp(excuses->items[i].subject, subject) == 0)
            return true;
    return false;
}

/* Memory and settings of processes, of this one too, and what controls the system or a device. */
static bool is_of_the_system(const char *path)
{
    static const char *const folders[] = {"/proc", "/sys", "/dev"};

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        size_t size = strlen(folders[i]);

        if (strncmp(path, folders[i], size) == 0 && (path[size] == '\0' || path[size] == '/'))
            return true;
    }
    return false;
}

/* A folder that holds such a file counts as well: to move it away would move the file. */
bool appeal_may_read(const struct policy *policy, const char *resolved)
{
    return policy->never_asked != NULL && resolved[0] == '/' && !is_of_the_system(resolved) &&
           !write_roots_cover(policy->never_asked, resolved) &&
           !write_roots_hold_root(policy->never_asked, resolved);
}

bool appeal_may_write(const struct policy *policy, const char *resolved)
{
    return appeal_may_read(policy, resolved) &&
           !write_roots_names_protected(policy->never_asked, resolved);
}
