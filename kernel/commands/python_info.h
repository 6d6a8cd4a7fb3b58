/*
 * python_info - what a Python says of itself
 *
 * Asked by running it once, isolated: a path alone does not tell a virtual environment from a shim
 * that picks another interpreter, nor whether it is new enough for the kernel. For the install
 * command, never on the way to a running kernel.
 */
#pragma once

#include <stdbool.h>

struct python_info {
    char *executable; /* absolute; a virtual environment's own, a shim's target */
    char *prefix;     /* sys.prefix */
    char *version;    /* "3.11.2" */
    bool is_embedded; /* its base is the Python that safepyrun-guard embeds */
};

#define PYTHON_INFO_NONE ((struct python_info){0})

/*
 * python_info_ask() - run `command` (a path, or a name on PATH) and fill in the rest
 *
 * Returns 0, or -1 with a sentence on stderr: no such program, not a Python, older than 3.11.
 */
int python_info_ask(const char *command, struct python_info *ret_info);
void python_info_finish(struct python_info *info);
