/*
 * template_key - which template fits a kernel, as the path of its socket
 *
 * A guard that is forked from a template has what the template had when it started: so the name is made of
 * all that a process inherits and a request does not carry (namespaces, cgroup, limits, rights, variables
 * that libraries read when they are imported) and of what it holds (Python, safepyrun, shell, modules).
 * Whatever differs, be it an update, is another template.
 */
#pragma once

#include <stdbool.h>

struct template_kind_of {
    const char *folder; /* runtime_folder() */
    const char *program; /* what runs: safepyrun-guard, or a Python */
    const char *python;
    const char *package; /* the folder of the package safepyrun */
    const char *shell;
    const char *imports; /* names with commas */
};

/* A new string. */
char *template_key_path(const struct template_kind_of *kind);

/* Whether a template gets this variable: it is one that libraries read early, and no secret. */
bool template_key_has_variable(const char *entry);

/* A digest of a text as 32 hexadecimal digits; a new string. Not for secrets. */
char *template_key_digest(const char *data, unsigned long size);
