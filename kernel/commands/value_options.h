/*
 * value_options - a command line of options with one value each, and --help
 *
 * For commands that take nothing else; where there is more, it is getopt_long().
 */
#pragma once

#include <stdbool.h>

struct value_option {
    const char *name;   /* "--python"; NULL behind the last one */
    const char **value; /* where it goes: borrowed from argv */
};

/*
 * value_options_read() - all of argv but its first
 *
 * command  as in "safepyrun doctor", for what is wrong
 * usage    what --help prints
 *
 * Returns -1 when the command is to go on; its exit status when all is said.
 */
int value_options_read(const char *command, const char *usage, const struct value_option *known,
                       int argc, char **argv);

/* The value of an option that takes a whole number, from 0 to `most`; false for anything else. */
bool value_options_number(const char *text, long most, long *ret_number);
