#include "guard/audit/sqlite_files.h"

#include "guard/audit/hook.h"
#include "guard/python/py_cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LONGEST 4096 /* what systems are compiled with: 512 (unix), 1024 (memdb) */
/* Five in SQLite itself; extensions may add some, but cells load none. */
#define SYSTEMS 16
#define VERSION_WITH_CALLS 3

struct file_system;
typedef int open_function(struct file_system *, const char *, void *, int, int *);
typedef void (*system_call)(void);

/* sqlite3_vfs. Its calls of the system are there from version 3 on. */
struct file_system {
    int version;
    int file_size;
    int name_longest;
    struct file_system *next;
    const char *name;
    void *data;
    open_function *open;
    int (*delete)(struct file_system *, const char *, int);
    system_call not_used[11];
    int (*set_system_call)(struct file_system *, const char *, system_call);
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
    open_function *open;
} guarded[SYSTEMS];

/* Files without a name: SQLite chooses one in the system's folder for them, and takes it away at once. */
static _Thread_local bool opens_unnamed;

static const struct event_row open_row = {.name = "sqlite3.open",
                                          .check = check_open,
                                          .arguments = OPEN_ARGS,
                                          .words = "open a file"};
static const struct event_row delete_row = {.name = "sqlite3.delete",
                                            .check = check_write_roots,
                                            .arguments = LINK_AT(0, 1),
                                            .words = "delete a file"};
/* How one kind of lock is made; its times are set later, by the name that it had. */
static const struct event_row folder_row = {.name = "sqlite3.mkdir",
                                            .check = check_never,
                                            .arguments = NOTHING,
                                            .words = "lock a database by a folder"};

/* ---- asking --------------------------------------------------------------------------------- */

static bool judge(const struct event_row *row, const char *path, int flags)
{
    cleanup_py PyObject *text = PyUnicode_DecodeFSDefault(path);
    cleanup_py PyObject *number = PyLong_FromLong(flags);
    PyObject *items[] = {text, NULL, number};
    struct facts_source source = {items, NULL, row == &open_row ? 3 : 1};

    if (text != NULL && number != NULL && hook_judge(row, &source) == 0)
        return true;
    PyErr_Clear(); /* on record already; SQLite can only say "disk I/O error" */
    return false;
}

/* SQLite calls with and without the GIL, and in the middle of an exception when a connection is thrown away. */
static bool may(const struct event_row *row, const char *path, int flags)
{
    PyGILState_STATE state;
    PyObject *type, *value, *traceback;
    bool allowed;

    if (opens_unnamed)
        return true;
    state = PyGILState_Ensure();
    PyErr_Fetch(&type, &value, &traceback);
    allowed = judge(row, path, flags);
    PyErr_Restore(type, value, traceback);
    PyGILState_Release(state);
    if (!allowed)
        errno = EACCES;
    return allowed;
}

/* ---- what SQLite calls ---------------------------------------------------------------------- */

static int guarded_open(const char *path, int flags, int mode)
{
    return may(&open_row, path, flags) ? open(path, flags, mode) : -1;
}

static int guarded_unlink(const char *path)
{
    return may(&delete_row, path, 0) ? unlink(path) : -1;
}

static int guarded_mkdir(const char *path, mode_t mode)
{
    return may(&folder_row, path, 0) ? mkdir(path, mode) : -1;
}

static int guarded_rmdir(const char *path)
{
    return may(&delete_row, path, 0) ? rmdir(path) : -1;
}

static const struct {
    const char *name;
    system_call function;
} calls[] = {{"open", (system_call)guarded_open},
             {"unlink", (system_call)guarded_unlink},
             {"mkdir", (system_call)guarded_mkdir},
             {"rmdir", (system_call)guarded_rmdir}};

static int note_open(struct file_system *system, const char *path, void *file, int flags, int *ret_flags)
{
    bool outer = opens_unnamed;
    int status = 14; /* sqlite3.h: SQLITE_CANTOPEN */

    for (size_t i = 0; i < SYSTEMS; i++) {
        if (guarded[i].system != system)
            continue;
        opens_unnamed = path == NULL;
        status = guarded[i].open(system, path, file, flags, ret_flags);
        opens_unnamed = outer;
        break;
    }
    return status;
}

/* ---- taking them over ----------------------------------------------------------------------- */

static bool is_known_shape(const struct file_system *system)
{
    return system->version >= 1 && system->version <= 9 && system->file_size > 0 &&
           system->name_longest > 0 && system->name_longest <= NAME_LONGEST && system->name != NULL;
}

static int take_calls(struct file_system *system)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (system->set_system_call(system, calls[i].name, calls[i].function) != 0)
            return -1;
    return 0;
}

/* What deletes nothing has no files (memdb). */
static int guard_one(struct file_system *system)
{
    if (!is_known_shape(system))
        return -1;
    if (system->delete == NULL || system->open == note_open)
        return 0;
    if (system->version < VERSION_WITH_CALLS || system->set_system_call == NULL)
        return -1;
    for (size_t i = 0; i < SYSTEMS; i++) {
        if (guarded[i].system != NULL)
            continue;
        guarded[i].open = system->open;
        guarded[i].system = system;
        system->open = note_open;
        return take_calls(system);
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
