/*
 * private_directory - a place of its own for one guard's temporary and cache files
 *
 * For its user alone, removed with everything in it when the kernel ends; that of a kernel that was killed, when another
 * one ends, an hour later. A guard that wrote its caches into
 * the home directory would need a write root there.
 */
#pragma once

/* A new directory; the path is new too. NULL with a sentence in ret_error when there is no room. */
char *private_directory_make(char **ret_error);

/* Removes it and frees the path; NULL is allowed. Links in it are removed, not followed. */
void private_directory_remove(char *path);
