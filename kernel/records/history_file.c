/*
 * Write-ahead logging, because a reader then never waits for the kernel next door that writes, and
 * a commit is one append without an fsync (synchronous=NORMAL: a power cut may cost the last
 * seconds of history, never the file). It needs memory that all its users share, so a folder on a
 * network or FUSE file system gets a rollback journal instead.
 */
#include "kernel/records/history_file.h"

#include "guard/link/buffer.h"
#include "guard/link/cleanup.h"
#include "kernel/records/folders.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

enum { SCHEMA_VERSION = 1 };

#define SESSIONS "sessions (  session INTEGER PRIMARY KEY AUTOINCREMENT, start INTEGER NOT NULL)"
#define ENTRIES                                                                                    \
    "entries (  session INTEGER NOT NULL, line INTEGER NOT NULL, input TEXT NOT NULL, output TEXT,"  \
    "  PRIMARY KEY (session, line)) WITHOUT ROWID"

/* Without fsync(), which costs tens of milliseconds on a slow disk: there is nothing to lose yet.
 */
static const char schema[] = "PRAGMA disk.synchronous = OFF; BEGIN IMMEDIATE;"
                             "CREATE TABLE IF NOT EXISTS disk." SESSIONS ";"
                             "CREATE TABLE IF NOT EXISTS disk." ENTRIES ";"
                             "PRAGMA disk.user_version = 1; COMMIT;";

/* SQLite keeps the text of a table as it was made. */
static const char strangers[] =
    "SELECT count(*) FROM disk.sqlite_master WHERE type <> 'table' OR sql IS NULL OR sql NOT IN"
    " ('CREATE TABLE " SESSIONS "', 'CREATE TABLE " ENTRIES "', 'CREATE TABLE sqlite_sequence(name,seq)')";

static bool is_shared_by_machines(const char *path)
{
    static const unsigned long types[] = {
        NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC, CIFS_SUPER_MAGIC,
        FUSE_SUPER_MAGIC, V9FS_MAGIC,      CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC,
    };
    struct statfs where;

    if (statfs(path, &where) < 0)
        return false;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if ((unsigned long)where.f_type == types[i])
            return true;
    return false;
}

/* SQLite would create it with the umask's rights; its -wal and -shm files follow the file's. */
static int make_file(const char *path, char **ret_problem)
{
    cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

    if (fd < 0 && (errno == EACCES || errno == EROFS))
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY); /* can be read at least */
    if (fd >= 0)
        return 0;
    *ret_problem = xstrdup(strerror(errno));
    return -1;
}

static int attach(sqlite3 *connection, const char *path)
{
    sqlite3_stmt *statement = NULL;
    int status = sqlite3_prepare_v2(connection, "ATTACH ?1 AS disk", -1, &statement, NULL);

    if (status == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
        status = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return status == SQLITE_DONE ? 0 : -1;
}

static int read_number(void *number, int count, char **values, char **names)
{
    (void)names;
    *(int *)number = count > 0 && values[0] != NULL ? atoi(values[0]) : 0;
    return 0;
}

/*
 * A session whose write root is the home folder can have written this file, and no guard is around us: triggers and views
 * are programs, and so are constraints, computed columns and indexes of expressions. Where there is anything but our
 * two tables, nothing is run.
 */
static int check_tables(sqlite3 *connection, char **ret_problem)
{
    int count = 1;

    sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    if (sqlite3_exec(connection, strangers, read_number, &count, NULL) != SQLITE_OK)
        return -1;
    if (count != 0)
        *ret_problem = xstrdup("it holds more than a history, or another one than ours");
    return count == 0 ? 0 : -1;
}

static int set_up_tables(sqlite3 *connection, char **ret_problem)
{
    int version = 0;

    if (sqlite3_exec(connection, "PRAGMA disk.user_version", read_number, &version, NULL) != 0)
        return -1;
    if (version > SCHEMA_VERSION) {
        *ret_problem = xasprintf("written by a newer version (tables of version %d)", version);
        return -1;
    }
    if (check_tables(connection, ret_problem) < 0)
        return -1;
    if (version == SCHEMA_VERSION)
        return 0;
    if (sqlite3_exec(connection, schema, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    *ret_problem = xstrdup(sqlite3_errmsg(connection));
    if (sqlite3_get_autocommit(connection) == 0)
        sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

/* A read-only file keeps what it has. */
static void choose_journal(sqlite3 *connection, const char *path)
{
    if (is_shared_by_machines(path))
        sqlite3_exec(connection, "PRAGMA disk.journal_mode = TRUNCATE", NULL, NULL, NULL);
    else
        sqlite3_exec(connection, "PRAGMA disk.journal_mode = WAL", NULL, NULL, NULL);
    sqlite3_exec(connection, "PRAGMA disk.synchronous = NORMAL", NULL, NULL, NULL);
}

int history_file_attach(sqlite3 *connection, const char *path, char **ret_problem)
{
    cleanup_free char *problem = NULL;

    folders_make_above(path);
    if (make_file(path, ret_problem) < 0)
        return -1;
    if (attach(connection, path) < 0) {
        *ret_problem = xstrdup(sqlite3_errmsg(connection));
        return -1;
    }
    if (set_up_tables(connection, &problem) == 0) {
        choose_journal(connection, path);
        return 0;
    }
    *ret_problem = problem != NULL ? steal(problem) : xstrdup(sqlite3_errmsg(connection));
    sqlite3_exec(connection, "DETACH disk", NULL, NULL, NULL);
    return -1;
}
