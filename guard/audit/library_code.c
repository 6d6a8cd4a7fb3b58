#include "guard/audit/library_code.h"

#include "guard/audit/caller.h"
#include "guard/audit/hook.h"
#include "guard/audit/scope.h"
#include "guard/audit/slot_patch.h"
#include "guard/audit/source_encoding.h"
#include "guard/audit/traceback_code.h"
#include "guard/audit/user_code.h"
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

/* How many code objects from a .pyc wait for their file's name: importlib sets it at once. */
#define UNNAMED 4

/* Where code comes from. The order is that of how much it is trusted. */
enum origin {
    ORIGIN_ELSEWHERE,
    ORIGIN_LIBRARY,
    ORIGIN_NAMED, /* a library's file, whose name counts */
};

static struct {
    struct library_code_owner owner;
    PyTypeObject *code_type;
    newfunc new_code;
    struct {
        PyObject *bytes; /* that came from a library's file */
        enum origin origin;
    } remembered[REMEMBERED];
    unsigned next;
    PyObject *unnamed[UNNAMED]; /* ORIGIN_NAMED */
    unsigned next_unnamed;
} state;

/* ---- reading -------------------------------------------------------------------------------- */

/* "x/__pycache__/y.cpython-311.pyc" is compiled from "x/y.py". */
static void name_source(char *path)
{
    static const char folder[] = "/__pycache__/";
    char *name = strrchr(path, '/');
    char *ending = name != NULL ? strchr(name, '.') : NULL;
    char *cache = strstr(path, folder);

    if (ending == NULL || strcmp(path + strlen(path) - 4, ".pyc") != 0)
        return;
    memcpy(ending, ".py", 4);
    if (cache != NULL && cache + strlen(folder) == name + 1)
        memmove(cache + 1, name + 1, strlen(name + 1) + 1);
}

/* A file in memory looks like one in the root folder, and so does what was deleted; in /proc a process writes about itself. */
static bool is_name_of(const char *path, const struct stat *file)
{
    struct stat named;

    return path[0] == '/' && strncmp(path, "/proc/", 6) != 0 && stat(path, &named) == 0 &&
           named.st_dev == file->st_dev && named.st_ino == file->st_ino;
}

/* Asked of the descriptor: a name could stand for another file by now. */
static enum origin origin_of_file(int fd, const struct stat *about)
{
    const struct scope *scope = scope_current();
    char link[64];
    char path[PATH_MAX];
    ssize_t length;
    bool is_library;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    is_library = scope == NULL || scope->policy->write_roots == NULL ||
                 (is_name_of(path, about) && !write_roots_ever_cover(scope->policy->write_roots, path));
    if (!is_library)
        return ORIGIN_ELSEWHERE;
    name_source(path);
    return state.owner.name_counts(path) ? ORIGIN_NAMED : ORIGIN_LIBRARY;
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

static void remember(PyObject *bytes, enum origin origin)
{
    PyObject *old = state.remembered[state.next].bytes;

    if (origin == ORIGIN_ELSEWHERE)
        return;
    state.remembered[state.next].bytes = py_own(bytes);
    state.remembered[state.next].origin = origin;
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
    struct stat about = {0};

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
    if (fd >= 0 && (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode))) {
        close(steal_fd(&fd));
        errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
    }
    if (fd < 0)
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, text);
    bytes = read_all(fd);
    if (bytes != NULL)
        remember(bytes, origin_of_file(fd, &about));
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

static bool name_counts(PyObject *name)
{
    cleanup_py PyObject *encoded = NULL;

    if (name != NULL && PyUnicode_Check(name))
        encoded = PyUnicode_EncodeFSDefault(name);
    PyErr_Clear(); /* what is no name of a file is not on the list either */
    return encoded != NULL && state.owner.name_counts(PyBytes_AsString(encoded));
}

/* Who compiles says which file it is from, and may say anything. */
static bool took_a_name(PyObject *code)
{
    cleanup_py PyObject *name = PyObject_GetAttrString(code, "co_filename");

    return name_counts(name);
}

static void wait_for_name(PyObject *code)
{
    PyObject *old = state.unnamed[state.next_unnamed];

    state.unnamed[state.next_unnamed] = py_own(code);
    state.next_unnamed = (state.next_unnamed + 1) % UNNAMED;
    Py_XDECREF(old);
}

/* Whatever is made while a guard judges, and is not a library's file, is user code from the beginning: it can run in
   a thread, an import or a callback where no frame of a cell is to be seen. */
static PyObject *note_code(PyObject *code, enum origin origin)
{
    bool is_code = code != NULL && Py_TYPE(code) == state.code_type;

    if (code == NULL)
        return NULL;
    if (is_code && origin == ORIGIN_NAMED)
        wait_for_name(code);
    if (is_code && (origin == ORIGIN_NAMED || (origin == ORIGIN_LIBRARY && !took_a_name(code))))
        state.owner.mark(code);
    else if (scope_current() != NULL && user_code_mark(code) < 0)
        Py_CLEAR(code);
    return code;
}

static enum origin take(size_t i)
{
    Py_CLEAR(state.remembered[i].bytes);
    return state.remembered[i].origin;
}

/* What a codec of a cell's may have a part in is not what the file says. */
static bool says_what_it_is(PyObject *source)
{
    return source_encoding_is_built_in((struct bytes){PyBytes_AsString(source), (size_t)PyBytes_Size(source)});
}

/* Once is enough: importlib uses what it read at once. */
static enum origin take_source(PyObject *source)
{
    for (size_t i = 0; source != NULL && i < REMEMBERED; i++)
        if (state.remembered[i].bytes == source) {
            enum origin origin = take(i);

            return says_what_it_is(source) ? origin : ORIGIN_ELSEWHERE;
        }
    return ORIGIN_ELSEWHERE;
}

/* All that is behind the header of a .pyc, as a view of the bytes that were read. */
static enum origin take_compiled(PyObject *data)
{
    enum origin origin = ORIGIN_ELSEWHERE;
    Py_buffer view;

    if (data == NULL || !PyMemoryView_Check(data) ||
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return origin;
    }
    for (size_t i = 0; origin == ORIGIN_ELSEWHERE && i < REMEMBERED; i++) {
        PyObject *bytes = state.remembered[i].bytes;

        if (bytes != NULL && view.buf == (void *)(PyBytes_AsString(bytes) + PYC_HEADER) &&
            view.len == PyBytes_Size(bytes) - PYC_HEADER)
            origin = take(i); /* the view keeps its memory */
    }
    PyBuffer_Release(&view);
    return origin;
}

static PyObject *compile_source(const struct method_call *call, void *data)
{
    enum origin origin = take_source(method_call_argument(call, 0, "source"));
    PyObject *code;

    (void)data;
    traceback_code_begin_compile();
    code = method_call_next(call);
    traceback_code_end_compile();
    return note_code(code, origin);
}

static PyObject *load_compiled(const struct method_call *call, void *data)
{
    enum origin origin = take_compiled(method_call_argument(call, 0, NULL));

    (void)data;
    return note_code(method_call_next(call), origin);
}

static bool waits_for_name(PyObject *code)
{
    for (size_t i = 0; i < UNNAMED; i++)
        if (state.unnamed[i] == code)
            return true;
    return false;
}

static const struct event_row rename_row = {.name = "imp.fix_co_filename",
                                            .check = check_never,
                                            .arguments = NOTHING,
                                            .words = "rename the file of a code object"};

/* A .pyc may have been made elsewhere; importlib tells its code where it is now. Nobody else has a reason to, and not
   for code that runs already. */
static PyObject *name_file(const struct method_call *call, void *data)
{
    PyObject *code = method_call_argument(call, 0, NULL);
    bool is_code = code != NULL && Py_TYPE(code) == state.code_type;

    (void)data;
    if (is_code && !waits_for_name(code) &&
        (!state.owner.is_fresh(code) || name_counts(method_call_argument(call, 1, NULL))) &&
        hook_judge(&rename_row, NULL) < 0)
        return NULL;
    return method_call_next(call);
}

/* Without data of the caller's it can only be what is built into the interpreter. */
static PyObject *find_frozen(const struct method_call *call, void *data)
{
    bool is_built_in = method_call_argument(call, 1, NULL) == NULL;

    (void)data;
    return note_code(method_call_next(call), is_built_in ? ORIGIN_LIBRARY : ORIGIN_ELSEWHERE);
}

static PyObject *make_code(const struct method_call *call, void *data)
{
    (void)data;
    return note_code(method_call_next(call), ORIGIN_ELSEWHERE);
}

/* Code of a cell's own stays the cell's. */
static PyObject *change_code(const struct method_call *call, void *data)
{
    PyObject *code;

    if (caller_is_marked_user(call->self) ||
        !traceback_code_fits(call->self, call->args, call->positional, call->kwnames))
        return make_code(call, data);
    caller_begin_host_work();
    code = method_call_next(call);
    caller_end_host_work();
    if (code != NULL)
        state.owner.mark_library(code);
    return code;
}

static PyObject *new_code(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    return note_code(state.new_code(type, args, keywords), ORIGIN_ELSEWHERE);
}

static int patch_module(const char *module_name, const char *name, method_patch_function function)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);

    return module != NULL ? method_patch_attribute(module, name, function, NULL) : -1;
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
    if (method_patch_attribute(type, "replace", change_code, NULL) < 0)
        return -1;
    return PyObject_HasAttrString(type, "__replace__")
               ? method_patch_attribute(type, "__replace__", make_code, NULL)
               : 0;
}

int library_code_init(const struct library_code_owner *owner)
{
    cleanup_py PyObject *code = Py_CompileString("0", "<safepyrun>", Py_eval_input);

    if (code == NULL)
        return -1;
    state.owner = *owner;
    state.code_type = Py_TYPE(code);
    user_code_start(state.code_type);
    if (traceback_code_init() < 0 || replace_get_data() < 0 || patch_module("builtins", "compile", compile_source) < 0 ||
        patch_module("marshal", "loads", load_compiled) < 0 ||
        patch_module("marshal", "load", make_code) < 0 ||
        patch_module("_imp", "get_frozen_object", find_frozen) < 0 ||
        patch_module("_imp", "_fix_co_filename", name_file) < 0)
        return -1;
    return patch_code_type();
}
