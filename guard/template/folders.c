#include "guard/template/folders.h"

#include "guard/link/buffer.h"
#include "guard/python/py_cleanup.h"

#include <string.h>
#include <sys/stat.h>

enum { FOLDERS_MAX = 32 };

static struct {
    char *path;
    struct timespec changed; /* 0 for a folder that is not there */
} folders[FOLDERS_MAX];
static size_t count;

static struct timespec time_of(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? status.st_mtim : (struct timespec){0};
}

int folders_note(void)
{
    PyObject *path = PySys_GetObject("path");

    for (Py_ssize_t i = 0; path != NULL && PyList_Check(path) && i < PyList_Size(path); i++) {
        PyObject *entry = PyList_GetItem(path, i);
        const char *text = PyUnicode_Check(entry) ? PyUnicode_AsUTF8AndSize(entry, NULL) : NULL;

        if (text == NULL)
            return -1;
        if (count == FOLDERS_MAX)
            break;
        folders[count].path = xstrdup(text);
        folders[count].changed = time_of(text);
        count++;
    }
    return 0;
}

bool folders_changed(void)
{
    for (size_t i = 0; i < count; i++) {
        struct timespec now = time_of(folders[i].path);

        if (now.tv_sec != folders[i].changed.tv_sec || now.tv_nsec != folders[i].changed.tv_nsec)
            return true;
    }
    return false;
}
