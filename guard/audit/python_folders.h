/*
 * python_folders - what Python itself has to read, where read_roots limits reading
 *
 * Its own folders and those of sys.path, the glue, the system's libraries and their data (time
 * zones, fonts, certificates). Before audit_arm() seals the policy. Not for write roots.
 */
#pragma once

#include "guard/policy/policy.h"

/* Adds them to what is readable. Never fails: a folder that is not known is not added. */
void python_folders_add(struct policy *policy);
