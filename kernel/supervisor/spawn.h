/*
 * spawn - how a guard process is made: which program, which descriptors, which environment
 *
 * Two programs can be a guard (design: "Hosting the interpreter"): `safepyrun-guard`, which embeds
 * the Python that it was built against, and that Python's sibling in any virtual environment, with
 * the guard as an extension module. Which one serves a given Python is decided here.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct spawned {
    pid_t pid;
    int link;       /* our end of the socket pair, non-blocking */
    int outputs[2]; /* read ends of its fd 1 and 2, non-blocking */
    int copies_socket; /* see guard/link/descriptors.h */
    int aside_socket;  /* so is this; written to only */
    int tool_records;  /* what tool processes put on record; non-blocking; likewise */
    int pidfd;
    pid_t keeper_pid;
    int keeper; /* of a guard from a template: what the template's side is asked; -1: it is our child */
};

/*
 * spawn_guard() - start one
 *
 * python             the interpreter of the notebook; NULL for installation_python()
 * private_directory  a directory of its own for temporary and cache files
 * template           where to ask for it first; NULL: nowhere
 * last_line          a memory file that it shares with us; see guard/link/descriptors.h
 * ret_error          on failure a new sentence; free()
 *
 * Returns 0 or 1.
 */
int spawn_guard(const char *python, const char *private_directory, const char *template, int last_line,
                struct spawned *ret_spawned, char **ret_error);

/* The version that a virtual environment's pyvenv.cfg names, or the embedded one's. A new string. */
char *spawn_python_version(const char *python);
