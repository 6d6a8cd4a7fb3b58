/*
 * history_file - the file of a history: its place, its rights, its tables
 *
 * For history.c only, which owns the connection and decides what happens when the file cannot be
 * had. Nothing here reads or writes entries.
 */
#pragma once

#include <sqlite3.h>

/*
 * history_file_attach() - the file as the database `disk` of a connection
 *
 * Makes the file (0600) and its folders (0700) where they are missing. Other people's files are
 * left as they are: one that is no database or that a newer version wrote is refused.
 *
 * ret_problem  on failure: why, a new string
 *
 * Returns 0, or -1 with nothing attached.
 */
int history_file_attach(sqlite3 *connection, const char *path, char **ret_problem);
