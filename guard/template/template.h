/*
 * template - the process that guards are forked from
 *
 * It holds an interpreter with IPython and libraries imported, and nothing of anybody's session: no cell
 * runs in it, no policy is known to it, it reads nothing that a kernel process sends. For each
 * connection it makes a keeper (keeper.h), and that one forks the guard, which alone goes back to Python.
 *
 * One a user and everything that a process inherits: the kernel process finds it by a name made of that.
 * It ends when nobody has come for a while, and when the folders of its packages have changed.
 */
#pragma once

#include <Python.h>

enum { TEMPLATE_IDLE_SECONDS = 1800 };

/* Behind listen_fd. */
enum {
    TEMPLATE_LOCK = 1,   /* the socket's lock: who has it is the template */
    TEMPLATE_KEEPER = 2, /* the program safepyrun-keeper, as O_PATH */
    TEMPLATE_DESCRIPTORS,
};

struct template_settings {
    int listen_fd;           /* a bound socket, made by whoever started us; what follows: see below */
    const char *socket_path; /* removed at the end */
    const char *shell;       /* "auto", "ipython", "plain" */
    const char *imports;     /* names of modules with commas between them; "" for none */
    int idle_seconds; /* 0: TEMPLATE_IDLE_SECONDS */
};

/*
 * template_warm_up() - imports what guards will need
 *
 * Only from folders of installed packages: what lies elsewhere may have been written by a cell, and
 * no guard watches here. A module that cannot be imported is left out. Returns 0 or -1 with an exception.
 */
int template_warm_up(const struct template_settings *settings);

/*
 * template_wait() - serve; returns in a guard alone
 *
 * There the descriptors lie as after an exec (the link is returned), the working directory, umask
 * and environment are those of the kernel process, and Python knows that it was forked. A fork that cannot be
 * made so ends by itself: the kernel process starts a guard of its own then.
 */
int template_wait(const struct template_settings *settings);
