/*
 * policy_sources - the policy files of a session, found and read
 *
 * The user's own ($XDG_CONFIG_HOME/safepyrun/policy.toml), the project's (.safepyrun.toml where the
 * kernel runs), the one that SAFEPYRUN_POLICY names, and --policy: the weakest first. A file that
 * is there and cannot be read is kept with the reason: it must not be taken for one that is not
 * there. What the texts mean is the guard's matter (guard/audit/policy_files). Owns all in it.
 */
#pragma once

#include "guard/link/bytes.h"

#include <stddef.h>

enum { POLICY_SOURCES_MAX = 4, POLICY_SOURCE_PARTS = 4, POLICY_SOURCE_PATH = 1 };

struct policy_source {
    const char *kind; /* "user", "project", "environment" or "argument" */
    char *path;       /* absolute */
    char *text;       /* "" when it could not be read */
    char *problem;    /* why it could not be read, or NULL */
};

struct policy_sources {
    struct policy_source items[POLICY_SOURCES_MAX];
    size_t count;
};

/* argument: the value of --policy, or NULL. */
void policy_sources_read(const char *argument, struct policy_sources *ret_sources);

/* Only the file that a command names: nothing of the user's or the project's. */
void policy_sources_read_one(const char *path, struct policy_sources *ret_sources);

/* A text that is no file, under a name for messages; nothing of the user's or the project's. text is TAKEN. */
void policy_sources_of_text(const char *name, char *text, struct policy_sources *ret_sources);

void policy_sources_finish(struct policy_sources *sources);

/* Why the file of a kind cannot be read, borrowed; NULL when it can or there is none. */
const char *policy_sources_problem(const struct policy_sources *sources, const char *kind);

/* The parts that CONFIGURE carries for the files, borrowed; returns how many. */
size_t policy_sources_parts(const struct policy_sources *sources,
                            struct bytes ret_parts[POLICY_SOURCES_MAX * POLICY_SOURCE_PARTS]);

/* The folder of the user's own file, whether it exists or not: a new string, or NULL without a
 * home. */
char *policy_sources_user_folder(void);
/* The name of a project's file, in the folder where the kernel runs. */
#define POLICY_PROJECT_FILE ".safepyrun.toml"
