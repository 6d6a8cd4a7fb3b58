/*
 * python_folders - what Python itself has to read, where read_roots limits reading, and what of it no cell may change
 *
 * Its own folders and those of sys.path, the glue, the system's libraries and their data (time
 * zones, fonts, certificates). Before audit_arm() seals the policy. Not for what write roots there are.
 */
#pragma once

#include "guard/policy/policy.h"

/* Adds them to what is readable. Never fails: a folder that is not known is not added. */
void python_folders_add(struct policy *policy);

/*
 * What is installed, and the environment that the interpreter is started from, stay read-only also inside a write root: what a
 * cell wrote there would have the rights of a library, or be run without a guard at the next start. Returns 0, or -1 with an
 * exception.
 */
int python_folders_protect(struct policy *policy);
