/*
 * sqlite_files - what SQLite deletes by itself
 *
 * A rollback journal can name another file, which SQLite deletes after it has played the journal back: whoever writes
 * a journal beside a database has any file deleted, without an event and without a question to the authorizer. So the
 * function that deletes is replaced in SQLite's own table of the file system (sqlite3_vfs, a public structure), and
 * asks first. Not for what is opened: sqlite_guard.h. Owns nothing; the tables live as long as the library.
 */
#pragma once

#include <Python.h>

/* From a connection to the way SQLite reaches files there, and all other ways. 0; -1 when it looks unlike what we know. */
int sqlite_files_guard(PyObject *connection);
