#include "kernel/records/folders.h"

#include "guard/link/buffer.h"

#include <string.h>
#include <sys/stat.h>

char *folders_default_path(const char *variable, const char *below_home, const char *file)
{
    const char *named = getenv(variable);
    const char *home = getenv("HOME");

    if (named != NULL && named[0] == '/')
        return xasprintf("%s/safepyrun/%s", named, file);
    if (home != NULL && home[0] == '/')
        return xasprintf("%s/%s/safepyrun/%s", home, below_home, file);
    return NULL;
}

void folders_make_above(const char *path)
{
    cleanup_free char *folder = xstrdup(path);

    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0700);
        *slash = '/';
    }
}
