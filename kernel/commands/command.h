/*
 * command - one word after `safepyrun` on the command line
 *
 * A command is a file of this folder with one `const struct command`; main.c holds the table and
 * picks by name. A command reads its own arguments, prints for a person, and returns the process's
 * exit status: 0 done, 1 it failed, 2 the arguments make no sense.
 */
#pragma once

struct command {
    const char *name;
    const char *summary;               /* one line for `safepyrun --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Runs a script, by its name alone; does not return then. -1: the words are no script. */
int script_run(int argc, char **argv);

extern const struct command install_command;
extern const struct command uninstall_command;
extern const struct command policy_command;
extern const struct command run_command;
extern const struct command containers_command;
extern const struct command mcp_command;
extern const struct command doctor_command;
extern const struct command template_command;
