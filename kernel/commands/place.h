/*
 * place - where a kernelspec lives: the options --user, --sys-prefix, --prefix, --python, --name
 *
 * Shared by install and uninstall, so that what one writes the other finds. The folders are those
 * of jupyter_core: the user's data folder, PREFIX/share/jupyter, or /usr/local/share/jupyter when
 * no place was named.
 */
#pragma once

#include "kernel/commands/python_info.h"

#include <stdbool.h>

#define KERNELSPEC_NAME "safepyrun"

struct place {
    bool user;
    bool sys_prefix;
    const char *prefix; /* borrowed, as are the next two; NULL where not given */
    const char *python;
    const char *name; /* as given */
    char *key;        /* the name as Jupyter has it, in lower case; NULL before place_check() */
};

#define PLACE_NONE ((struct place){.name = KERNELSPEC_NAME})

/* For getopt_long(): the rows of both commands, and what they return. */
enum { PLACE_USER = 1000, PLACE_SYS_PREFIX, PLACE_PREFIX, PLACE_PYTHON, PLACE_NAME };

// clang-format off
#define PLACE_OPTIONS                                                                              \
    {"user",       no_argument,       NULL, PLACE_USER},                                           \
    {"sys-prefix", no_argument,       NULL, PLACE_SYS_PREFIX},                                     \
    {"prefix",     required_argument, NULL, PLACE_PREFIX},                                         \
    {"python",     required_argument, NULL, PLACE_PYTHON},                                         \
    {"name",       required_argument, NULL, PLACE_NAME}
// clang-format on

#define PLACE_USAGE                                                                                \
    "  --user               for this user: $JUPYTER_DATA_DIR or ~/.local/share/jupyter\n"          \
    "  --sys-prefix         into the environment of --python or $VIRTUAL_ENV\n"                    \
    "  --prefix DIR         into DIR/share/jupyter\n"                                              \
    "                       (none of these: for everybody, /usr/local/share/jupyter)\n"            \
    "  --name NAME          the kernelspec's name (default: " KERNELSPEC_NAME ")\n"

/* Takes one option; false when it is none of these. */
bool place_take_option(struct place *place, int option, const char *value);

/* Returns 0, or -1 with a sentence on stderr: contradicting places, a name Jupyter would refuse. */
int place_check(struct place *place);
void place_finish(struct place *place);

/* The Python to use: --python, else the active virtual environment's, else the embedded one. */
char *place_python(const struct place *place);

/*
 * place_folder() - the folder of the kernelspec
 *
 * python  needed for --sys-prefix only
 *
 * Returns a new string, or NULL with a sentence on stderr.
 */
char *place_folder(const struct place *place, const struct python_info *python);

/* Jupyter's data folder of the user: a new string, NULL without a home. */
char *place_user_data_folder(void);
