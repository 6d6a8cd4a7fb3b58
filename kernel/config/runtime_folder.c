#include "kernel/config/runtime_folder.h"

#include "guard/link/buffer.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { LENGTH_MAX = 64 }; /* the path of a socket has 107 bytes, and its name is 34 of them */

/* Ours, no link, and closed to everybody else. */
static bool is_private(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & 077) == 0;
}

char *runtime_folder(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    cleanup_free char *path = NULL;

    if (runtime != NULL && runtime[0] == '/' && strlen(runtime) < LENGTH_MAX && is_private(runtime))
        path = xasprintf("%s/safepyrun", runtime);
    else
        path = xasprintf("/tmp/safepyrun-%u", (unsigned)geteuid());
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return NULL;
    return is_private(path) ? steal(path) : NULL;
}
