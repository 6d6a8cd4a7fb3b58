/*
 * folders - where a record is by default, and the folders above it, made when it is opened
 *
 * For the owner alone, as the files in them. What cannot be made is told by the open() that follows.
 */
#pragma once

/* Our `file` below what an XDG variable names, or else below the home folder: a new string, NULL without either. */
char *folders_default_path(const char *variable, const char *below_home, const char *file);

void folders_make_above(const char *path);
