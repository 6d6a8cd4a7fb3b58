/*
 * sqlite_files - what SQLite opens and deletes by itself
 *
 * A rollback journal can name another file, which SQLite deletes after it has played the journal back: whoever writes
 * a journal beside a database has any file deleted, without an event and without a question to the authorizer. And the files
 * beside a database (journals, -wal, -shm) are opened later than it, by the name that it had: whoever has put a link in the place
 * of its folder has them made, and written, behind the link. So SQLite's own table of system calls (sqlite3_vfs, a public
 * structure) gets functions that ask first. Not for what a statement names: sqlite_guard.h. Owns nothing; the tables live
 * as long as the library.
 */
#pragma once

#include <Python.h>

/* From a connection to the way SQLite reaches files there, and all other ways. 0; -1 when it looks unlike what we know. */
int sqlite_files_guard(PyObject *connection);
