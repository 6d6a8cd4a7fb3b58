/*
 * folders - the folders that modules of a template come from, and whether they have changed
 *
 * pip adds to a folder of packages or takes from it whatever it does, so one look at its time of change tells
 * of each upgrade. What is edited in place, within a package, is not seen.
 */
#pragma once

#include <stdbool.h>

/* Remembers those on sys.path. Returns 0 or -1 with an exception. */
int folders_note(void);

/* No Python, a system call each. */
bool folders_changed(void);
