#include "kernel/commands/place.h"

#include "guard/link/buffer.h"
#include "kernel/config/installation.h"

#include <ctype.h>
#include <limits.h>

char *place_user_data_folder(void)
{
    const char *jupyter = getenv("JUPYTER_DATA_DIR");
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");

    if (jupyter != NULL && jupyter[0] != '\0')
        return xstrdup(jupyter);
    if (data != NULL && data[0] != '\0')
        return xasprintf("%s/jupyter", data);
    if (home != NULL && home[0] != '\0')
        return xasprintf("%s/.local/share/jupyter", home);
    return NULL;
}

/* Jupyter's rule for names; the two that only mean folders are no names. */
static bool is_kernel_name(const char *name)
{
    size_t size = strlen(name);

    return size > 0 && size <= NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               size;
}

bool place_take_option(struct place *place, int option, const char *value)
{
    switch (option) {
    case PLACE_USER:
        place->user = true;
        return true;
    case PLACE_SYS_PREFIX:
        place->sys_prefix = true;
        return true;
    case PLACE_PREFIX:
        place->prefix = value;
        return true;
    case PLACE_PYTHON:
        place->python = value;
        return true;
    case PLACE_NAME:
        place->name = value;
        return true;
    default:
        return false;
    }
}

int place_check(struct place *place)
{
    if (place->user + place->sys_prefix + (place->prefix != NULL) > 1) {
        fputs("safepyrun: --user, --sys-prefix and --prefix exclude each other\n", stderr);
        return -1;
    }
    if (place->prefix != NULL && place->prefix[0] == '\0') {
        fputs("safepyrun: --prefix needs a folder\n", stderr);
        return -1;
    }
    if (!is_kernel_name(place->name)) {
        fprintf(stderr,
                "safepyrun: \"%s\" cannot name a kernel: use ASCII letters and digits, "
                "and - . _ between them\n",
                place->name);
        return -1;
    }
    free(place->key);
    place->key = xstrdup(place->name);
    for (char *c = place->key; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return 0;
}

void place_finish(struct place *place)
{
    free(place->key);
    *place = PLACE_NONE;
}

char *place_python(const struct place *place)
{
    const char *environment = getenv("VIRTUAL_ENV");

    if (place->python != NULL)
        return xstrdup(place->python);
    if (environment != NULL && environment[0] != '\0')
        return xasprintf("%s/bin/python", environment);
    return installation_python();
}

char *place_folder(const struct place *place, const struct python_info *python)
{
    cleanup_free char *data = NULL;
    cleanup_free char *here = NULL;

    if (place->user)
        data = place_user_data_folder();
    else if (place->sys_prefix)
        data = xasprintf("%s/share/jupyter", python->prefix);
    else if (place->prefix != NULL)
        data = xasprintf("%s/share/jupyter", place->prefix);
    else
        data = xstrdup("/usr/local/share/jupyter");
    if (data == NULL) {
        fputs("safepyrun: --user needs $HOME, $XDG_DATA_HOME or $JUPYTER_DATA_DIR\n", stderr);
        return NULL;
    }
    if (data[0] == '/')
        return xasprintf("%s/kernels/%s", data, place->key);
    here = getcwd(NULL, 0);
    return xasprintf("%s/%s/kernels/%s", here != NULL ? here : ".", data, place->key);
}
