/*
 * options - the command line of `safepyrun kernel`
 *
 * Launchers append arguments of their own (nbclient: --HistoryManager.hist_file=:memory:), so an
 * unknown argument is noted in the log and otherwise ignored. An argument of ours with a wrong
 * value is an error: a policy that was asked for and not applied must not go unnoticed.
 */
#pragma once

#include "guard/link/buffer.h"
#include "kernel/records/log.h"

enum guard_death { GUARD_DEATH_EXIT, GUARD_DEATH_RESPAWN };

struct options {
    const char *connection_file;  /* NULL: response_address is there instead */
    const char *response_address; /* of a gateway on another machine, as the next four; NULL: none */
    const char *public_key;
    const char *kernel_id;
    const char *port_range;
    const char *transport_encryption;
    const char *directory;       /* where to work; NULL: where we were started */
    const char *python;          /* NULL: the Python that the guard embeds */
    const char *shell;           /* "auto", "ipython", "plain" */
    const char *policy_file;     /* NULL: the preset alone */
    const char *history_file;    /* NULL: the usual place; ":memory:" keeps nothing */
    const char *audit_log;       /* NULL: the usual place; "none" keeps nothing */
    const char **write_roots;    /* added to the preset's; owned array of borrowed strings */
    size_t write_root_count;
    const char *log_file; /* NULL: silent */
    enum log_level log_level;
    enum guard_death on_guard_death;
    struct buffer ignored; /* unknown arguments, for the log */
};

/*
 * options_parse() - read the arguments after `safepyrun kernel`
 *
 * Strings are borrowed from argv. ret_error: on failure a new sentence; free(). Returns 0 or 1.
 */
int options_parse(int argc, char **argv, struct options *ret_options, char **ret_error);
void options_finish(struct options *options);

/* Whether --shell may say so; of other commands that have it, too. */
bool options_knows_shell(const char *name);

/* The usage text of the command. */
extern const char options_usage[];
