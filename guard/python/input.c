#include "guard/python/input.h"
#include "guard/python/attribution.h"
#include "guard/python/json.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

static struct {
    bool allowed[SHELLS_MAX];
} input;

void input_allow(bool allowed)
{
    input.allowed[attribution_shell()] = allowed;
}

static void raise_not_implemented(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._errors");
    cleanup_py PyObject *type = NULL;

    if (module != NULL)
        type = PyObject_CallMethod(module, "stdin_not_implemented_error", NULL);
    if (type != NULL)
        PyErr_SetString(type,
                        "raw_input was called, but this frontend does not support input requests.");
}

static int send_request(PyObject *prompt, bool password)
{
    cleanup_py PyObject *content =
        Py_BuildValue("{s:O,s:O}", "prompt", prompt, "password", password ? Py_True : Py_False);
    cleanup_py PyObject *text = NULL;
    char *data;
    Py_ssize_t size;
    struct bytes part;

    if (content != NULL)
        text = json_encode(content);
    if (text == NULL || PyBytes_AsStringAndSize(text, &data, &size) < 0)
        return -1;
    part = (struct bytes){data, (size_t)size};
    streams_flush_all();
    return link_end_send(&(struct frame){FRAME_INPUT_REQUEST, attribution_cell(), 1, &part});
}

static PyObject *receive_answer(void)
{
    cleanup_py PyObject *content = NULL;
    struct frame frame;
    PyObject *value;

    /* An answer to a question of an earlier cell, or to one that was interrupted, may still come.
     */
    do {
        if (link_end_receive_type(FRAME_INPUT_REPLY, &frame) < 0)
            return NULL;
    } while (frame.cell != attribution_cell());
    content = json_decode(frame.parts[0]);
    if (content == NULL)
        return NULL;
    value = PyDict_Check(content) ? PyDict_GetItemString(content, "value") : NULL;
    if (value == NULL || !PyUnicode_Check(value))
        return PyUnicode_FromString("");
    if (PyUnicode_CompareWithASCIIString(value, "\x04") == 0) {
        PyErr_SetString(PyExc_EOFError, "EOF when reading a line");
        return NULL;
    }
    return py_own(value);
}

PyObject *input_ask(PyObject *prompt, bool password)
{
    int shell = attribution_find_shell(attribution_cell());
    cleanup_py PyObject *text = PyObject_Str(prompt);
    PyObject *answer;

    if (text == NULL)
        return NULL;
    if (shell < 0 || !input.allowed[shell] || link_end_is_detached()) {
        raise_not_implemented();
        return NULL;
    }
    if (shell != (int)attribution_shell() || (shell == 0 && !attribution_is_main_thread())) {
        PyErr_SetString(PyExc_RuntimeError, "input() works in the main thread of a cell only");
        return NULL;
    }
    if (send_request(text, password) < 0)
        return NULL;
    answer = receive_answer();
    /* Left by an exception of any signal's handler: the clock of the cell, which stood still, goes on. */
    if (answer == NULL && shell == 0)
        link_end_post(&(struct frame){FRAME_INTERRUPTED, 0, 0, NULL});
    return answer;
}

static PyObject *input_function(PyObject *self, PyObject *args)
{
    PyObject *prompt = NULL;
    cleanup_py PyObject *none = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "|O:input", &prompt))
        return NULL;
    if (prompt != NULL)
        return input_ask(prompt, false);
    none = PyUnicode_FromString("");
    return none != NULL ? input_ask(none, false) : NULL;
}

static PyObject *getpass_function(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static const char *names[] = {"prompt", "stream", "echo_char", NULL};
    PyObject *prompt = NULL;
    PyObject *ignored = NULL;
    cleanup_py PyObject *usual = PyUnicode_FromString("Password: ");

    (void)self;
    if (usual == NULL || !PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO:getpass", (char **)names,
                                                      &prompt, &ignored, &ignored))
        return NULL;
    return input_ask(prompt != NULL ? prompt : usual, true);
}

static PyMethodDef input_method = {"input", input_function, METH_VARARGS,
                                   "input(prompt='', /)\n--\n\nAsk the user for a line of text."};
static PyMethodDef getpass_method = {"getpass", (PyCFunction)(void (*)(void))getpass_function,
                                     METH_VARARGS | METH_KEYWORDS,
                                     "Ask the user for a line of text that is not shown."};

int input_start(void)
{
    cleanup_py PyObject *builtins = PyImport_ImportModule("builtins");
    cleanup_py PyObject *function = PyCFunction_NewEx(&input_method, NULL, NULL);

    if (builtins == NULL || function == NULL)
        return -1;
    return PyObject_SetAttrString(builtins, "input", function);
}

static PyObject *load(const char *name)
{
    cleanup_py PyObject *library = PyImport_ImportModule("safepyrun._library");

    return library != NULL ? PyObject_CallMethod(library, "load", "s", name) : NULL;
}

/* The module costs 4 ms at start and is rarely used: it is patched when it is about to be. */
void input_patch_getpass(PyObject *source)
{
    cleanup_py PyObject *name = PyUnicode_FromString("getpass");
    cleanup_py PyObject *module = NULL;
    cleanup_py PyObject *function = NULL;
    PyObject *modules = PyImport_GetModuleDict();
    static PyObject *patched; /* borrowed: only compared */

    if (name != NULL &&
        (PyDict_GetItem(modules, name) != NULL || PyUnicode_Contains(source, name) == 1))
        module = load("getpass");
    if (module != NULL && module != patched) {
        function = PyCFunction_NewEx(&getpass_method, NULL, name);
        if (function != NULL && PyObject_SetAttrString(module, "getpass", function) == 0)
            patched = module;
    }
    PyErr_Clear(); /* a broken getpass is the cell's own to meet */
}
