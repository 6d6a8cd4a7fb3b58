#include "guard/audit/library_code.h"

#include "guard/audit/caller.h"
#include "guard/audit/scope.h"
#include "guard/audit/slot_patch.h"
#include "guard/link/cleanup.h"
#include "guard/python/compat.h"
#include "guard/python/method_patch.h"
#include "guard/python/py_cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between reading and compiling another thread may import as well, and a hash-based .pyc comes with its source. */
#define REMEMBERED 16
/* In front of the marshalled code in a .pyc. */
#define PYC_HEADER 16

static struct {
    void (*mark)(PyObject *code);
    PyTypeObject *code_type;
    newfunc new_code;
    PyObject *remembered[REMEMBERED]; /* bytes that came from libraries' files */
    unsigned next;
} state;

/* ---- reading -------------------------------------------------------------------------------- */

/* Asked of the descriptor: a name could stand for another file by now. */
static bool is_library_file(int fd)
{
    const struct scope *scope = scope_current();
    char link[64];
    char path[PATH_MAX];
    ssize_t length;

    if (scope == NULL || scope->policy->write_roots == NULL)
        return true;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    if (length <= 0 || path[0] != '/')
        return false;
    path[length] = '\0';
    return !write_roots_ever_cover(scope->policy->write_roots, path);
}

static PyObject *read_all(int fd)
{
    cleanup_free char *data = NULL;
    struct stat about;
    size_t size = 0;
    ssize_t count;
    size_t room;

    if (fstat(fd, &about) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    room = (size_t)about.st_size + 1; /* one more, so that the end is seen at once */
    data = malloc(room); /* the size is a cell's: no reason to end the process */
    if (data == NULL)
        return PyErr_NoMemory();
    while ((count = read(fd, data + size, room - size)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return PyErr_SetFromErrno(PyExc_OSError);
        size += (size_t)count;
        if (size == room) { /* it has grown */
            char *larger = realloc(data, 2 * room);

            if (larger == NULL)
                return PyErr_NoMemory();
            data = larger;
            room *= 2;
        }
    }
    return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
}

static void remember(PyObject *bytes)
{
    PyObject *old = state.remembered[state.next];

    state.remembered[state.next] = py_own(bytes);
    state.next = (state.next + 1) % REMEMBERED;
    Py_XDECREF(old);
}

/* In place of FileLoader.get_data(path): the event and the errors are those of open(). */
static PyObject *get_data(PyObject *self, PyObject *path)
{
    cleanup_py PyObject *text = PyObject_Str(path);
    cleanup_py PyObject *encoded = text != NULL ? PyUnicode_EncodeFSDefault(text) : NULL;
    cleanup_close int fd = -1;
    PyObject *bytes;
    struct stat about;

    (void)self;
    if (encoded == NULL || compat.audit("open", "Osi", text, "rb", O_RDONLY | O_CLOEXEC) < 0)
        return NULL;
    if (strlen(PyBytes_AsString(encoded)) != (size_t)PyBytes_Size(encoded)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return NULL;
    }
    /* The GIL is kept until it is known whose file it is: else another thread could put another one under this descriptor.
       So nothing may block: there are no modules in pipes. */
    fd = open(PyBytes_AsString(encoded), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &about) == 0 && !S_ISREG(about.st_mode)) {
        close(steal_fd(&fd));
        errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
    }
    if (fd < 0)
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, text);
    bytes = read_all(fd);
    if (bytes != NULL && is_library_file(fd))
        remember(bytes);
    return bytes;
}

static PyMethodDef get_data_definition = {"get_data", get_data, METH_O,
                                          "Return the data from path as raw bytes."};

static int replace_get_data(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("_frozen_importlib_external");
    cleanup_py PyObject *loader =
        module != NULL ? PyObject_GetAttrString(module, "FileLoader") : NULL;
    cleanup_py PyObject *method = NULL;

    if (loader == NULL)
        return -1;
    method = PyDescr_NewMethod((PyTypeObject *)loader, &get_data_definition);
    return method != NULL ? PyObject_SetAttrString(loader, "get_data", method) : -1;
}

/* ---- recognising ---------------------------------------------------------------------------- */

/* Whatever is made while a guard judges, and is not a library's file, is user code from the beginning: it can run in
   a thread, an import or a callback where no frame of a cell is to be seen. */
static PyObject *note_code(PyObject *code, bool is_library)
{
    if (code == NULL || Py_TYPE(code) != state.code_type)
        return code;
    if (is_library)
        state.mark(code);
    else if (scope_current() != NULL && caller_mark_user((struct scope *)scope_current(), code) < 0)
        Py_CLEAR(code);
    return code;
}

/* Once is enough: importlib uses what it read at once. */
static bool take_source(PyObject *source)
{
    for (size_t i = 0; source != NULL && i < REMEMBERED; i++) {
        if (state.remembered[i] == source) {
            Py_CLEAR(state.remembered[i]);
            return true;
        }
    }
    return false;
}

/* All that is behind the header of a .pyc, as a view of the bytes that were read. */
static bool take_compiled(PyObject *data)
{
    Py_buffer view;
    bool found = false;

    if (data == NULL || !PyMemoryView_Check(data) ||
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return false;
    }
    for (size_t i = 0; !found && i < REMEMBERED; i++) {
        PyObject *bytes = state.remembered[i];

        found = bytes != NULL && view.buf == (void *)(PyBytes_AsString(bytes) + PYC_HEADER) &&
                view.len == PyBytes_Size(bytes) - PYC_HEADER;
        if (found)
            Py_CLEAR(state.remembered[i]); /* the view keeps its memory */
    }
    PyBuffer_Release(&view);
    return found;
}

static PyObject *compile_source(const struct method_call *call, void *data)
{
    bool is_library = take_source(method_call_argument(call, 0, "source"));

    (void)data;
    return note_code(method_call_next(call), is_library);
}

static PyObject *load_compiled(const struct method_call *call, void *data)
{
    bool is_library = take_compiled(method_call_argument(call, 0, NULL));

    (void)data;
    return note_code(method_call_next(call), is_library);
}

/* Without data of the caller's it can only be what is built into the interpreter. */
static PyObject *find_frozen(const struct method_call *call, void *data)
{
    bool is_library = method_call_argument(call, 1, NULL) == NULL;

    (void)data;
    return note_code(method_call_next(call), is_library);
}

static PyObject *make_code(const struct method_call *call, void *data)
{
    (void)data;
    return note_code(method_call_next(call), false);
}

static PyObject *new_code(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    return note_code(state.new_code(type, args, keywords), false);
}

static int patch(PyObject *owner, const char *name, method_patch_function function)
{
    cleanup_py PyObject *callable = PyObject_GetAttrString(owner, name);

    if (callable == NULL)
        return -1;
    if (method_patch(callable, function, NULL) == 0)
        return 0;
    PyErr_Format(PyExc_RuntimeError, "safepyrun cannot guard %s", name);
    return -1;
}

static int patch_module(const char *module_name, const char *name, method_patch_function function)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);

    return module != NULL ? patch(module, name, function) : -1;
}

static int patch_code_type(void)
{
    PyObject *type = (PyObject *)state.code_type;
    void *original;

    if (slot_patch(type, SLOT_NEW, (void *)new_code, &original) < 0) {
        PyErr_SetString(PyExc_RuntimeError, "safepyrun cannot guard code objects");
        return -1;
    }
    state.new_code = (newfunc)original;
    if (patch(type, "replace", make_code) < 0)
        return -1;
    return PyObject_HasAttrString(type, "__replace__") ? patch(type, "__replace__", make_code) : 0;
}

int library_code_init(void (*mark)(PyObject *code))
{
    cleanup_py PyObject *code = Py_CompileString("0", "<safepyrun>", Py_eval_input);

    if (code == NULL)
        return -1;
    state.mark = mark;
    state.code_type = Py_TYPE(code);
    if (replace_get_data() < 0 || patch_module("builtins", "compile", compile_source) < 0 ||
        patch_module("marshal", "loads", load_compiled) < 0 ||
        patch_module("marshal", "load", make_code) < 0 ||
        patch_module("_imp", "get_frozen_object", find_frozen) < 0)
        return -1;
    return patch_code_type();
}
