#include "guard/audit/sqlite_files.h"

#include "guard/audit/hook.h"
#include "guard/python/py_cleanup.h"

#include <string.h>

#define SQLITE_SAYS_NOT_DELETED (10 | 10 << 8) /* sqlite3.h: SQLITE_IOERR_DELETE */
#define NAME_LONGEST 4096 /* what systems are compiled with: 512 (unix), 1024 (memdb) */
/* Five in SQLite itself; extensions may add some, but cells load none. */
#define SYSTEMS 16

/* The head of sqlite3_vfs, of version 1; its functions from here on are not used. */
struct file_system {
    int version;
    int file_size;
    int name_longest;
    struct file_system *next;
    const char *name;
    void *data;
    int (*open)(struct file_system *, const char *, void *, int, int *);
    int (*delete)(struct file_system *, const char *, int);
};

/* `sqlite3` begins with the file system that the connection uses, the object of Python with its `sqlite3`: so no symbol
   is needed, which a Python that brings its own SQLite does not show. */
struct database {
    struct file_system *system;
};
struct connection {
    PyObject_HEAD
    struct database *database;
};

static struct {
    struct file_system *system;
    int (*delete)(struct file_system *, const char *, int);
} guarded[SYSTEMS];

static const struct event_row delete_row = {.name = "sqlite3.delete",
                                            .check = check_write_roots,
                                            .arguments = LINK_AT(0, 1),
                                            .words = "delete a file"};

static bool may_delete(const char *path)
{
    cleanup_py PyObject *text = PyUnicode_DecodeFSDefault(path);
    PyObject *items[] = {text, NULL};
    struct facts_source source = {items, NULL, 2};

    if (text != NULL && hook_judge(&delete_row, &source) == 0)
        return true;
    PyErr_Clear(); /* on record already; SQLite can only say "disk I/O error" */
    return false;
}

/* SQLite calls with and without the GIL, and in the middle of an exception when a connection is thrown away. */
static bool ask(const char *path)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *type, *value, *traceback;
    bool allowed;

    PyErr_Fetch(&type, &value, &traceback);
    allowed = may_delete(path);
    PyErr_Restore(type, value, traceback);
    PyGILState_Release(state);
    return allowed;
}

static int guarded_delete(struct file_system *system, const char *path, int sync)
{
    for (size_t i = 0; i < SYSTEMS; i++)
        if (guarded[i].system == system)
            return ask(path) ? guarded[i].delete(system, path, sync) : SQLITE_SAYS_NOT_DELETED;
    return SQLITE_SAYS_NOT_DELETED;
}

static bool is_known_shape(const struct file_system *system)
{
    return system->version >= 1 && system->version <= 9 && system->file_size > 0 &&
           system->name_longest > 0 && system->name_longest <= NAME_LONGEST && system->name != NULL;
}

/* What deletes nothing (memdb) has no such function. */
static int guard_one(struct file_system *system)
{
    if (!is_known_shape(system))
        return -1;
    if (system->delete == NULL || system->delete == guarded_delete)
        return 0;
    for (size_t i = 0; i < SYSTEMS; i++) {
        if (guarded[i].system != NULL)
            continue;
        guarded[i].delete = system->delete;
        guarded[i].system = system;
        system->delete = guarded_delete;
        return 0;
    }
    return -1;
}

int sqlite_files_guard(PyObject *connection)
{
    const struct database *database = ((struct connection *)connection)->database;

    if (database == NULL || database->system == NULL)
        return -1;
    for (struct file_system *system = database->system; system != NULL; system = system->next)
        if (guard_one(system) < 0)
            return -1;
    return 0;
}
