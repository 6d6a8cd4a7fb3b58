#include "guard/start_path.h"

#include "guard/link/cleanup.h"
#include "guard/policy/policy.h"
#include "guard/policy/write_roots.h"
#include "guard/python/py_cleanup.h"
#include "guard/ring/paths.h"

#include <string.h>

static struct {
    PyObject *glue;            /* safepyrun._start_path */
    bool knows_policy;
    struct write_roots *roots; /* its; NULL: writes are not guarded */
} state;

static const char *text_of(PyObject *text)
{
    const char *utf8 = text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;

    PyErr_Clear(); /* what is no text, or has a lone surrogate, is no folder of installed packages */
    return utf8;
}

/* The same that cells cannot write to once the policy is sealed: see python_folders_protect(). */
static bool is_installed(const char *path)
{
    PyObject *entries = PySys_GetObject("path");

    for (Py_ssize_t i = 0; entries != NULL && PyList_Check(entries) && i < PyList_Size(entries); i++) {
        const char *entry = text_of(PyList_GetItem(entries, i));

        if (entry != NULL && policy_is_package_folder(entry) && ring_path_is_below(path, entry))
            return true;
    }
    return false;
}

/* Below the folder that a module was loaded from. */
static bool is_beside(const char *path, const char *module_name)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);
    cleanup_py PyObject *file = module != NULL ? PyObject_GetAttrString(module, "__file__") : NULL;
    const char *text = text_of(file);
    cleanup_free char *folder = text != NULL && strrchr(text, '/') != NULL
                                    ? xstrndup(text, (size_t)(strrchr(text, '/') - text))
                                    : NULL;

    PyErr_Clear(); /* a frozen module has no file */
    return folder != NULL && ring_path_is_below(path, folder);
}

static bool is_closed(const char *path)
{
    if (is_installed(path) || is_beside(path, "os") || is_beside(path, "safepyrun"))
        return false;
    if (!state.knows_policy)
        return true;
    return state.roots != NULL && write_roots_are_on_the_way(state.roots, bytes_of_string(path));
}

static PyObject *glue_is_closed(PyObject *self, PyObject *path)
{
    cleanup_py PyObject *encoded = NULL;
    char *data;

    (void)self;
    if (!PyUnicode_Check(path))
        return PyErr_Format(PyExc_TypeError, "a folder is a str");
    encoded = PyUnicode_EncodeFSDefault(path);
    if (encoded == NULL || PyBytes_AsStringAndSize(encoded, &data, NULL) < 0)
        return NULL;
    return PyBool_FromLong(is_closed(data));
}

static PyMethodDef is_closed_method = {"is_closed", glue_is_closed, METH_O, NULL};

static int open_path(void)
{
    cleanup_py PyObject *function = PyCFunction_NewEx(&is_closed_method, NULL, NULL);
    cleanup_py PyObject *done = NULL;

    state.glue = PyImport_ImportModule("safepyrun._start_path");
    if (function != NULL && state.glue != NULL)
        done = PyObject_CallMethod(state.glue, "begin", "O", function);
    return done != NULL ? 0 : -1;
}

static int look_again(void)
{
    cleanup_py PyObject *done = PyObject_CallMethod(state.glue, "look_again", NULL);

    return done != NULL ? 0 : -1;
}

int start_path_begin(const struct policy *policy)
{
    if (policy != NULL) {
        state.roots = policy_roots(policy);
        state.knows_policy = true;
    }
    return state.glue == NULL ? open_path() : look_again();
}

int start_path_end(void)
{
    cleanup_py PyObject *done = PyObject_CallMethod(state.glue, "end", NULL);

    write_roots_free(steal(state.roots));
    return done != NULL ? 0 : -1;
}
