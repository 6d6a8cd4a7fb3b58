/*
 * policy_entries - what may stand in the lists of a policy file
 *
 * A module that nobody can import bans nothing, and a variable that cannot exist hides nothing: who wrote it meant
 * something else. Not for types, which policy_set() knows, nor for files that have to be there.
 */
#pragma once

#include <stdbool.h>

/* key: as in keys.def. True for keys whose entries may be any text. */
bool policy_entry_is_good(const char *key, const char *text);
