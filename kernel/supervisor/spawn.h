/*
 * spawn - how a guard process is made: which program, which descriptors, which environment
 *
 * Two programs can be a guard (design: "Hosting the interpreter"): `safepyrun-guard`, which embeds
 * the Python that it was built against, and that Python's sibling in any virtual environment, with
 * the guard as an extension module. Which one serves a given Python is decided here.
 */
#pragma once

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

struct spawned {
    pid_t pid;
    int link;       /* our end of the socket pair, non-blocking */
    int outputs[2]; /* read ends of its fd 1 and 2, non-blocking */
    int copies_socket; /* see guard/link/descriptors.h */
    int aside_socket;  /* so is this */
    int tool_records;  /* what tool processes put on record; non-blocking; likewise */
    int pidfd;
    pid_t keeper_pid;
    int keeper; /* of a guard from a template: what the template's side is asked; -1: it is our child */
};

#define SPAWNED_NONE                                                                               \
    ((struct spawned){.link = -1, .outputs = {-1, -1}, .copies_socket = -1, .aside_socket = -1,    \
                      .tool_records = -1, .pidfd = -1, .keeper = -1})

/*
 * spawn_ask() - ask a template for a guard, and do not wait for it
 *
 * template   the path of its socket
 * ret_asked  for spawn_guard(), or spawned_close(); SPAWNED_NONE when there is no template
 */
void spawn_ask(const char *template, const char *private_directory, int last_line, struct spawned *ret_asked);

/*
 * spawn_guard() - start one
 *
 * python             the interpreter of the notebook, as spawn_python() takes it
 * private_directory  a directory of its own for temporary and cache files
 * asked              of spawn_ask() or SPAWNED_NONE: taken when it has come to something; SPAWNED_NONE afterwards
 * last_line          a memory file that it shares with us; see guard/link/descriptors.h
 * ret_error          on failure a new sentence; free()
 *
 * Returns 0 or 1.
 */
int spawn_guard(const char *python, const char *private_directory, struct spawned *asked, int last_line,
                struct spawned *ret_spawned, char **ret_error);

/* The descriptors of one that is given up; makes it SPAWNED_NONE. */
void spawned_close(struct spawned *spawned);

/* The Python that serves a notebook which asks for this one: installation_python_for(). A new string. */
char *spawn_python(const char *asked);

/*
 * spawn_attributes_init() - for posix_spawn(): a session and a process group of its own
 *
 * A SIGINT to ours must not reach it a second time, and no terminal is anybody's to read an answer from. All signals
 * are as a new process has them. posix_spawnattr_destroy().
 */
void spawn_attributes_init(posix_spawnattr_t *ret_attributes);

/* The version that a virtual environment's pyvenv.cfg names, or the embedded one's. A new string. */
char *spawn_python_version(const char *python);
