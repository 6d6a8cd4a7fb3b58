#include "kernel/commands/kernelspec_find.h"

#include "guard/link/buffer.h"
#include "kernel/commands/kernelspec.h"
#include "kernel/commands/place.h"

#include <glob.h>

#define RESOURCE_DIR "{resource_dir}"

/* What follows an option in argv, or NULL. Borrowed. */
static const char *value_of(json_t *argv, const char *option)
{
    for (size_t i = 0; i + 1 < json_array_size(argv); i++) {
        const char *word = json_string_value(json_array_get(argv, i));

        if (word != NULL && strcmp(word, option) == 0)
            return json_string_value(json_array_get(argv, i + 1));
    }
    return NULL;
}

/* A name without a slash is looked for on PATH by whoever starts the kernel. */
static bool is_missing(const char *path, int access_mode)
{
    return path != NULL && strchr(path, '/') != NULL && access(path, access_mode) < 0;
}

/* A path as Jupyter will have it: the wheel's kernelspec names its program relative to itself. NULL: none. */
static char *expand(const char *path, const char *folder)
{
    bool is_relative = path != NULL && strncmp(path, RESOURCE_DIR, strlen(RESOURCE_DIR)) == 0;

    if (path == NULL)
        return NULL;
    return is_relative ? xasprintf("%s%s", folder, path + strlen(RESOURCE_DIR)) : xstrdup(path);
}

/* A new sentence, or NULL. */
static char *find_problem(const char *folder)
{
    cleanup_free char *path = xasprintf("%s/kernel.json", folder);
    json_t *json = json_load_file(path, 0, NULL);
    json_t *argv = json_object_get(json, "argv");
    cleanup_free char *program = expand(json_string_value(json_array_get(argv, 0)), folder);
    const char *python = value_of(argv, "--python");
    const char *policy = value_of(argv, "--policy");
    char *problem = NULL;

    if (is_missing(program, X_OK))
        problem = xasprintf("the program %s cannot be run; install the kernelspec again", program);
    else if (is_missing(python, X_OK))
        problem = xasprintf("the Python %s cannot be run; install the kernelspec again", python);
    else if (is_missing(policy, R_OK))
        problem = xasprintf("the policy file %s cannot be read; every cell will say so", policy);
    json_decref(json);
    return problem;
}

static void look_into(const char *data_folder, kernelspec_found found, void *context)
{
    cleanup_free char *pattern = xasprintf("%s/kernels/*", data_folder);
    glob_t folders;

    if (glob(pattern, 0, NULL, &folders) == 0)
        for (size_t i = 0; i < folders.gl_pathc; i++)
            if (kernelspec_is_ours(folders.gl_pathv[i])) {
                cleanup_free char *problem = find_problem(folders.gl_pathv[i]);

                found(context, folders.gl_pathv[i], problem);
            }
    globfree(&folders);
}

void kernelspec_find(const char *prefix, kernelspec_found found, void *context)
{
    const char *path = getenv("JUPYTER_PATH");
    cleanup_free char *list = xstrdup(path != NULL ? path : "");
    cleanup_free char *user = place_user_data_folder();
    char *rest = list;
    char *folder;

    while ((folder = strsep(&rest, ":")) != NULL)
        if (folder[0] == '/')
            look_into(folder, found, context);
    if (user != NULL)
        look_into(user, found, context);
    if (prefix != NULL && strcmp(prefix, "/usr") != 0 && strcmp(prefix, "/usr/local") != 0) {
        cleanup_free char *environment = xasprintf("%s/share/jupyter", prefix);

        look_into(environment, found, context);
    }
    look_into("/usr/local/share/jupyter", found, context);
    look_into("/usr/share/jupyter", found, context);
}
