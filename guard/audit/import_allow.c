#include "guard/audit/import_allow.h"

#include "guard/audit/caller.h"
#include "guard/python/compat.h"
#include "guard/python/stack.h"

#include <string.h>

static struct string_list list; /* of allow_imports */

/* ---- the list ------------------------------------------------------------------------------- */

static void take_off(const char *module)
{
    struct string_list kept = {NULL, 0};

    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.items[i], module) != 0)
            string_list_add(&kept, list.items[i]);
    string_list_finish(&list);
    list = kept;
}

int import_allow_set(const char *module, bool permitted)
{
    if (compat.audit("safepyrun.allow", NULL) < 0)
        return -1;
    if (!permitted)
        take_off(module);
    else if (!string_list_has(&list, module))
        string_list_add(&list, module);
    return 0;
}

PyObject *import_allow_names(void)
{
    cleanup_py PyObject *names = PyTuple_New((Py_ssize_t)list.count);

    for (size_t i = 0; names != NULL && i < list.count; i++) {
        PyObject *name = PyUnicode_FromString(list.items[i]);

        if (name == NULL || PyTuple_SetItem(names, (Py_ssize_t)i, name) < 0)
            return NULL;
    }
    return steal(names);
}

/* ---- asking --------------------------------------------------------------------------------- */

static bool covers(const struct string_list *names, const char *module)
{
    for (size_t i = 0; i < names->count; i++) {
        size_t size = strlen(names->items[i]);

        if (strncmp(module, names->items[i], size) == 0 &&
            (module[size] == '\0' || module[size] == '.'))
            return true;
    }
    return false;
}

/* By its name, as the host gave it: of the globals that the import system has made for it. */
static bool is_listed(const struct scope *scope, PyObject *frame)
{
    cleanup_py PyObject *globals = compat.frame_globals(frame);
    PyObject *name = globals != NULL && PyDict_CheckExact(globals)
                         ? PyDict_GetItemString(globals, "__name__")
                         : NULL;
    const char *text =
        name != NULL && PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;

    PyErr_Clear(); /* a name with a lone surrogate is on no list */
    return text != NULL && (covers(&scope->import_allow, text) ||
                            (!scope->judges_host_code && covers(&list, text)));
}

/* Code that the import system runs, and not somebody who calls the import system's function. */
static bool is_run_by_import(const struct scope *scope, PyObject *frame)
{
    cleanup_py PyObject *runner = compat.frame_back(frame);
    cleanup_py PyObject *code = runner != NULL ? stack_code(runner) : NULL;
    cleanup_py PyObject *loader =
        code != NULL && caller_is_import_system(code) ? compat.frame_back(runner) : NULL;
    cleanup_py PyObject *loader_code = loader != NULL ? stack_code(loader) : NULL;

    return loader_code != NULL && !caller_is_user(scope, loader_code);
}

/* Neither has a file that a cell has written a right by its name, nor what the cell has put in the way of a module. In a host
   program nobody knows whose code this is: its modules lie where it may write. */
static bool is_cells(const struct scope *scope, PyObject *frame)
{
    cleanup_py PyObject *code = stack_code(frame);

    return scope->is_process && caller_is_marked_user(code);
}

bool import_allow_asks(const struct scope *scope)
{
    bool lists_any = scope->import_allow.count > 0 || (!scope->judges_host_code && list.count > 0);
    cleanup_py PyObject *frame = lists_any ? stack_innermost() : NULL;

    while (frame != NULL && !is_cells(scope, frame)) {
        if (is_run_by_import(scope, frame) && is_listed(scope, frame))
            return true;
        stack_step_out(&frame);
    }
    return false;
}
