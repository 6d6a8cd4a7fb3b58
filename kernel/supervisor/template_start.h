/*
 * template_start - makes a template process that outlives this one, and ends one
 *
 * It is nobody's child, has a session of its own, and of the environment what template_key_has_variable()
 * says. Who holds the lock beside its socket is the template: the lock goes with the process.
 */
#pragma once

#include "kernel/supervisor/template_key.h"

struct template_start {
    struct template_kind_of kind;
    const char *path;         /* template_key_path() of it */
    const char *keeper;       /* the program safepyrun-keeper */
    const char *const *before; /* arguments before ours, NULL-terminated: "-P", …, "main.py" */
    int idle_seconds;         /* 0: as the template likes */
};

/*
 * template_start() - unless there is one
 *
 * Takes a few milliseconds; the template needs longer until it answers. ret_is_new: there was none.
 *
 * Returns 0 or -errno.
 */
int template_start(const struct template_start *start, bool *ret_is_new);

/*
 * template_left_out() - wait until it is warm, and what it could not import
 *
 * names  that it was to import, with commas
 *
 * Returns lines "NAME is left out: REASON", new and perhaps empty; NULL: it has ended, or nobody knows within a minute.
 */
char *template_left_out(const char *path, const char *names);

/*
 * template_stop() - end the template of this socket, also one that does not listen yet
 *
 * What it says, new; NULL: there is none.
 */
char *template_stop(const char *path);
