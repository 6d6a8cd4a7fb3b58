/*
 * kernelspec - the folder that tells Jupyter how to start the kernel
 *
 * kernel.json and three logos, which are part of the program: an installed binary needs no files
 * beside it. Each file is replaced in one step and kernel.json last, so that a Jupyter server that
 * looks in between finds the old kernelspec or the new one.
 *
 * Which folder is place.h's business.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct kernelspec {
    const char *program; /* absolute path of safepyrun */
    const char *display_name;
    const char *python;      /* absolute */
    const char *shell;       /* NULL: the kernel decides */
    const char *policy_file; /* absolute; NULL: the preset alone */
    const char *remote_hosts; /* with commas; NULL: Jupyter starts the kernel where it runs itself */
    json_t *env;             /* an object of strings, borrowed; may be empty */
};

/* The content of kernel.json: a new object. Source: jupyter_client, "Kernel specs". */
json_t *kernelspec_json(const struct kernelspec *spec);

/* Makes the folder and what is above it. Returns 0, or -errno with the file's path in ret_path. */
int kernelspec_write(const char *folder, const struct kernelspec *spec, char **ret_path);

/* Whether the folder holds a kernelspec that starts this program or another safepyrun. */
bool kernelspec_is_ours(const char *folder);

/* Removes our files, and the folder when nothing else is in it. Returns as kernelspec_write(). */
int kernelspec_remove(const char *folder, char **ret_path);
