/*
 * templates - which template a kernel uses, and that there is one for the next
 *
 * What the policy wants is known to guards alone, so a kernel asks for what the last guard under the same
 * policy files has told, as noted in the runtime folder; a policy seen for the first time is served by
 * an ordinary guard. The guard looks at the policy again and says no if it must. Which libraries were used is
 * noted there too, by name and day. A note is a hint: without the folder there are no templates, and
 * nothing else changes.
 */
#pragma once

#include "guard/link/bytes.h"
#include "kernel/config/policy_sources.h"
#include "kernel/loop.h"

#include <stdbool.h>

struct templates_options {
    const char *python; /* NULL: installation_python() */
    const char *shell;
    const struct policy_sources *policy_files; /* NULL: none */
};

struct templates {
    struct loop *loop;
    char *folder;   /* NULL: no templates */
    char *python;
    char *shell;
    char *note;     /* path: what this policy wants */
    char *used;     /* path: what was used lately, with this Python */
    bool wanted;
    char *imports;  /* named by the policy, or NULL: what was used */
    uint32_t recent; /* bits of warm_modules.h */
    struct loop_timer start_timer;
};

void templates_init(struct templates *templates, struct loop *loop, const struct templates_options *options);
void templates_finish(struct templates *templates);

/* The socket to ask for a guard; a new string, or NULL: start one. There may be nobody behind it. */
char *templates_socket(const struct templates *templates);

/* READY: what the policy in force wants. imports: names with commas, or {NULL, 0} for what was used. */
void templates_take_wishes(struct templates *templates, bool wanted, struct bytes imports);

/* The guard has imported these. */
void templates_take_imported(struct templates *templates, struct bytes names);

/* For the command: starts one now. Returns 0 or -errno. */
int templates_start(struct templates *templates, const char *imports, int idle_seconds, bool *ret_is_new);
