#include "guard/python/stream_type.h"
#include "guard/python/method_patch.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

#define NEW_METHOD(function) ((PyCFunction)(void (*)(void))(function))

static struct {
    PyObject *out; /* the texts … */
    PyObject *err;
    PyObject *out_buffer; /* … and their buffers */
    PyObject *err_buffer;
} objects;

static enum frame_type type_of(PyObject *self)
{
    return self == objects.out || self == objects.out_buffer ? FRAME_STDOUT : FRAME_STDERR;
}

/* Lone surrogates have no UTF-8: they are shown as \udcff, as "backslashreplace" does. */
static PyObject *write_surrogates(PyObject *self, PyObject *text)
{
    cleanup_py PyObject *encoded = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    char *data;
    Py_ssize_t size;

    if (encoded == NULL || PyBytes_AsStringAndSize(encoded, &data, &size) < 0 ||
        streams_write(type_of(self), (struct bytes){data, (size_t)size}) < 0)
        return NULL;
    return PyLong_FromSsize_t(PyUnicode_GetLength(text));
}

static PyObject *text_write(PyObject *self, PyObject *text)
{
    Py_ssize_t size;
    const char *data;

    if (!PyUnicode_Check(text)) {
        cleanup_py PyObject *type_name = PyType_GetName(Py_TYPE(text));

        return PyErr_Format(PyExc_TypeError, "write() argument must be str, not %S", type_name);
    }
    data = PyUnicode_AsUTF8AndSize(text, &size);
    if (data == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear(); /* written otherwise */
        return write_surrogates(self, text);
    }
    if (data == NULL || streams_write(type_of(self), (struct bytes){data, (size_t)size}) < 0)
        return NULL;
    return PyLong_FromSsize_t(PyUnicode_GetLength(text));
}

static PyObject *buffer_write(PyObject *self, PyObject *object)
{
    Py_buffer view;
    Py_ssize_t size;
    int result;

    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    size = view.len;
    result = streams_write(type_of(self), (struct bytes){view.buf, (size_t)size});
    PyBuffer_Release(&view);
    return result < 0 ? NULL : PyLong_FromSsize_t(size);
}

static PyObject *write_lines(PyObject *self, PyObject *lines)
{
    cleanup_py PyObject *iterator = PyObject_GetIter(lines);

    if (iterator == NULL)
        return NULL;
    for (;;) {
        cleanup_py PyObject *line = PyIter_Next(iterator);
        cleanup_py PyObject *written = NULL;

        if (line == NULL)
            break;
        written = PyObject_CallMethod(self, "write", "(O)", line);
        if (written == NULL)
            return NULL;
    }
    return PyErr_Occurred() ? NULL : py_own(Py_None);
}

static PyObject *flush(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    streams_flush();
    return py_own(Py_None);
}

static PyObject *get_fileno(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(type_of(self) == FRAME_STDOUT ? STDOUT_FILENO : STDERR_FILENO);
}

static PyObject *return_true(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return py_own(Py_True);
}

static PyObject *return_false(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return py_own(Py_False);
}

/* Libraries set an encoding and forget it; ours is UTF-8 whatever they ask for. */
static PyObject *reconfigure(PyObject *self, PyObject *args, PyObject *kwargs)
{
    (void)self;
    (void)args;
    (void)kwargs;
    return py_own(Py_None);
}

static PyObject *get_name(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(type_of(self) == FRAME_STDOUT ? "<stdout>" : "<stderr>");
}

static PyObject *get_constant(PyObject *self, void *text)
{
    (void)self;
    return PyUnicode_FromString(text);
}

static PyObject *get_false(PyObject *self, void *unused)
{
    (void)self;
    (void)unused;
    return py_own(Py_False);
}

static PyObject *get_none(PyObject *self, void *unused)
{
    (void)self;
    (void)unused;
    return py_own(Py_None);
}

static PyObject *get_buffer(PyObject *self, void *unused)
{
    (void)unused;
    return py_own(self == objects.out ? objects.out_buffer : objects.err_buffer);
}

#define COMMON_METHODS                                                                             \
    {"writelines", write_lines, METH_O, NULL}, {"flush", flush, METH_NOARGS, NULL},                \
        {"close", flush, METH_NOARGS, "Flush: the stream of a session is never closed."},          \
        {"fileno", get_fileno, METH_NOARGS, NULL}, {"isatty", return_false, METH_NOARGS, NULL},    \
        {"readable", return_false, METH_NOARGS, NULL},                                             \
        {"seekable", return_false, METH_NOARGS, NULL},                                             \
    {                                                                                              \
        "writable", return_true, METH_NOARGS, NULL                                                 \
    }

static PyMethodDef text_methods[] = {
    {"write", text_write, METH_O, NULL},
    {"reconfigure", NEW_METHOD(reconfigure), METH_VARARGS | METH_KEYWORDS, NULL},
    COMMON_METHODS,
    {NULL, NULL, 0, NULL}};
static PyMethodDef buffer_methods[] = {
    {"write", buffer_write, METH_O, NULL}, COMMON_METHODS, {NULL, NULL, 0, NULL}};
static PyGetSetDef text_getters[] = {
    {"name", get_name, NULL, NULL, NULL},
    {"mode", get_constant, NULL, NULL, (char *)"w"},
    {"encoding", get_constant, NULL, NULL, (char *)"utf-8"},
    {"errors", get_constant, NULL, NULL, (char *)"backslashreplace"},
    {"newlines", get_none, NULL, NULL, NULL},
    {"line_buffering", get_false, NULL, NULL, NULL},
    {"write_through", get_false, NULL, NULL, NULL},
    {"closed", get_false, NULL, NULL, NULL},
    {"buffer", get_buffer, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyGetSetDef buffer_getters[] = {{"name", get_name, NULL, NULL, NULL},
                                       {"mode", get_constant, NULL, NULL, (char *)"wb"},
                                       {"closed", get_false, NULL, NULL, NULL},
                                       {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot text_slots[] = {
    {Py_tp_methods, text_methods}, {Py_tp_getset, text_getters}, {0, NULL}};
static PyType_Slot buffer_slots[] = {
    {Py_tp_methods, buffer_methods}, {Py_tp_getset, buffer_getters}, {0, NULL}};
/* Size 0: that of the base, whose layout is not ours to know. */
static PyType_Spec text_spec = {.name = "safepyrun.Stream",
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
                                         Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                .slots = text_slots};
static PyType_Spec buffer_spec = {.name = "safepyrun.StreamBuffer",
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE |
                                         Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                  .slots = buffer_slots};

/* io.TextIOBase itself has a metaclass, which a type made in C cannot have on 3.11: registered. */
static int make_objects(PyType_Spec *spec, const char *base_name, PyObject **ret_out,
                        PyObject **ret_err)
{
    cleanup_py PyObject *io_module = PyImport_ImportModule("io");
    cleanup_py PyObject *c_module = PyImport_ImportModule("_io");
    cleanup_py PyObject *base = NULL;
    cleanup_py PyObject *public_base = NULL;
    cleanup_py PyObject *registered = NULL;
    cleanup_py PyObject *type = NULL;

    if (io_module == NULL || c_module == NULL)
        return -1;
    base = PyObject_GetAttrString(c_module, base_name);
    public_base = PyObject_GetAttrString(io_module, base_name + 1);
    if (base == NULL || public_base == NULL)
        return -1;
    type = PyType_FromSpecWithBases(spec, base);
    if (type == NULL)
        return -1;
    registered = PyObject_CallMethod(public_base, "register", "(O)", type);
    if (registered == NULL)
        return -1;
    *ret_out = PyType_GenericAlloc((PyTypeObject *)type, 0);
    *ret_err = PyType_GenericAlloc((PyTypeObject *)type, 0);
    return *ret_out != NULL && *ret_err != NULL ? 0 : -1;
}

/* os.write(1, …) keeps its place between two prints. */
static PyObject *os_write(const struct method_call *call, void *data)
{
    PyObject *written;
    int overflow = 0;
    long fd;

    (void)data;
    if (call->kwnames != NULL || call->positional != 2 || !PyLong_CheckExact(call->args[0]))
        return method_call_next(call);
    fd = PyLong_AsLongAndOverflow(call->args[0], &overflow);
    if (fd != STDOUT_FILENO && fd != STDERR_FILENO)
        return method_call_next(call);
    written = buffer_write(fd == STDOUT_FILENO ? objects.out_buffer : objects.err_buffer,
                           call->args[1]);
    streams_flush(); /* a system call by name: what it wrote must outlive the process */
    return written;
}

static int patch_os_write(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("posix");
    cleanup_py PyObject *function = NULL;

    if (module == NULL)
        return -1;
    function = PyObject_GetAttrString(module, "write");
    if (function == NULL)
        return -1;
    if (method_patch(function, os_write, NULL) != 0) {
        PyErr_SetString(PyExc_RuntimeError, "os.write cannot be patched");
        return -1;
    }
    return 0;
}

static int install(void)
{
    if (PySys_SetObject("stdout", objects.out) < 0 || PySys_SetObject("stderr", objects.err) < 0 ||
        PySys_SetObject("__stdout__", objects.out) < 0)
        return -1;
    return PySys_SetObject("__stderr__", objects.err);
}

int stream_type_prepare(void)
{
    if (objects.out != NULL)
        return 0;
    if (make_objects(&text_spec, "_TextIOBase", &objects.out, &objects.err) < 0)
        return -1;
    return make_objects(&buffer_spec, "_BufferedIOBase", &objects.out_buffer, &objects.err_buffer);
}

int stream_type_start(void)
{
    return stream_type_prepare() < 0 || patch_os_write() < 0 ? -1 : install();
}
