#include "kernel/records/folders.h"

#include "guard/link/buffer.h"

#include <string.h>
#include <sys/stat.h>

void folders_make_above(const char *path)
{
    cleanup_free char *folder = xstrdup(path);

    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0700);
        *slash = '/';
    }
}
