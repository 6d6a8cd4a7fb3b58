#include "guard/debug/debug.h"

#include "guard/debug/breakpoints.h"
#include "guard/debug/evaluate.h"
#include "guard/debug/stop.h"
#include "guard/debug/tracer.h"
#include "guard/python/attribution.h"
#include "guard/python/cell.h"
#include "guard/python/compat.h"
#include "guard/python/error.h"
#include "guard/python/interrupt.h"
#include "guard/python/json.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/reply.h"
#include "guard/python/variables.h"

enum { CALL_LIMIT_MS = 1000, NUMBER_SIZE = 16 };

static struct {
    PyObject *shell;
    PyObject *glue; /* safepyrun._dap's Adapter; NULL before it is needed */
    bool has_references;
} state;

void debug_start(PyObject *shell)
{
    state.shell = shell;
}

/* ---- what the glue asks of us ----------------------------------------------------------------- */

/* evaluate(index of a frame or -1, text, statements) */
static PyObject *glue_evaluate(PyObject *self, PyObject *args)
{
    Py_ssize_t index;
    PyObject *text;
    int statements;
    PyObject *frame;
    cleanup_py PyObject *held = NULL;

    (void)self;
    if (!PyArg_ParseTuple(args, "nUp:evaluate", &index, &text, &statements))
        return NULL;
    frame = stop_frame(index);
    if (frame == NULL && index >= 0)
        return PyErr_Format(PyExc_ValueError, "there is no such frame");
    held = py_own(frame);
    return evaluate_text(held, text, statements != 0);
}

/* call(function, arguments) */
static PyObject *glue_call(PyObject *self, PyObject *args)
{
    PyObject *function;
    PyObject *arguments;

    (void)self;
    if (!PyArg_ParseTuple(args, "OO!:call", &function, &PyTuple_Type, &arguments))
        return NULL;
    return evaluate_call(function, arguments, CALL_LIMIT_MS);
}

/* path(file name) -> (path, by how much its lines are higher) */
static PyObject *glue_path(PyObject *self, PyObject *filename)
{
    cleanup_py PyObject *path = NULL;
    long offset;

    (void)self;
    if (!PyUnicode_Check(filename))
        return PyErr_Format(PyExc_TypeError, "a file name is a str");
    path = breakpoints_path(filename, &offset);
    return path != NULL ? Py_BuildValue("(Ol)", path, offset) : NULL;
}

/* text(path) -> of the cell that the front end calls so, or None */
static PyObject *glue_text(PyObject *self, PyObject *path)
{
    PyObject *text;

    (void)self;
    if (!PyUnicode_Check(path))
        return PyErr_Format(PyExc_TypeError, "a path is a str");
    text = breakpoints_text(path);
    return text != NULL || PyErr_Occurred() ? text : py_own(Py_None);
}

/* complain(text): below the cell */
static PyObject *glue_complain(PyObject *self, PyObject *text)
{
    (void)self;
    if (!PyUnicode_Check(text))
        return PyErr_Format(PyExc_TypeError, "a text is a str");
    return error_write(text) < 0 ? NULL : py_own(Py_None);
}

static PyMethodDef methods[] = {{"evaluate", glue_evaluate, METH_VARARGS, NULL},
                                {"call", glue_call, METH_VARARGS, NULL},
                                {"path", glue_path, METH_O, NULL},
                                {"text", glue_text, METH_O, NULL},
                                {"complain", glue_complain, METH_O, NULL}};

/* What asks values about themselves counts as the user's: nothing is a library's that a method in C does there. */
static int mark_as_user(const char *module_name)
{
    cleanup_py PyObject *module = PyImport_ImportModule(module_name);
    PyObject *dict = module != NULL ? PyModule_GetDict(module) : NULL;
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    if (dict == NULL)
        return -1;
    while (PyDict_Next(dict, &at, &name, &value)) {
        cleanup_py PyObject *code = NULL;

        if (Py_TYPE(value) != compat.function_type)
            continue;
        code = py_own(compat.function_code(value));
        if (cell_hooks()->compiled(code) < 0)
            return -1;
    }
    return 0;
}

static PyObject *new_glue(void)
{
    cleanup_py PyObject *module =
        mark_as_user("safepyrun._dap_values") == 0 ? PyImport_ImportModule("safepyrun._dap") : NULL;
    cleanup_py PyObject *functions = PyDict_New();
    cleanup_py PyObject *initial = variables_initial();

    for (size_t i = 0; functions != NULL && i < sizeof(methods) / sizeof(methods[0]); i++) {
        cleanup_py PyObject *function = PyCFunction_NewEx(&methods[i], NULL, NULL);

        if (function == NULL || PyDict_SetItemString(functions, methods[i].ml_name, function) < 0)
            return NULL;
    }
    if (module == NULL || functions == NULL || initial == NULL)
        return NULL;
    return PyObject_CallMethod(module, "Adapter", "OOO", state.shell, initial, functions);
}

/* Borrowed, or NULL with an exception. */
static PyObject *glue(void)
{
    if (state.glue == NULL)
        state.glue = new_glue();
    return state.glue;
}

/* ---- frames ----------------------------------------------------------------------------------- */

bool debug_is(const struct frame *frame, const char *kind)
{
    return bytes_equal_string(frame->parts[0], kind);
}

static PyObject *decode_dict(struct bytes text)
{
    PyObject *content = json_decode(text);

    if (content == NULL || PyDict_Check(content))
        return content;
    Py_DECREF(content);
    return PyErr_Format(PyExc_ValueError, "the content of a message is an object");
}

PyObject *debug_decode(const struct frame *frame)
{
    return decode_dict(frame->parts[2]);
}

PyObject *debug_command(PyObject *request)
{
    PyObject *command = PyDict_GetItemString(request, "command");

    return command != NULL && PyUnicode_Check(command) ? command : NULL;
}

int debug_take_settings(const struct frame *frame)
{
    cleanup_py PyObject *settings = debug_decode(frame);

    if (settings == NULL || breakpoints_set(settings) < 0)
        return -1;
    /* While nothing runs: an import from within a cell would be the cell's. */
    return breakpoints_is_attached() && glue() == NULL ? -1 : 0;
}

/* ---- answers ---------------------------------------------------------------------------------- */

static PyObject *or_null(PyObject *value)
{
    return value != NULL ? value : Py_None;
}

/* message NULL: it went well. A new dict. */
static PyObject *response(PyObject *request, const char *message)
{
    PyObject *sequence = PyDict_GetItemString(request, "seq");

    return Py_BuildValue("{s:i,s:s,s:O,s:O,s:O,s:{},s:z}", "seq", 0, "type", "response",
                         "request_seq", or_null(sequence), "success",
                         message == NULL ? Py_True : Py_False, "command",
                         or_null(debug_command(request)), "body", "message", message);
}

/* Never fails but for memory: an exception of the glue, or an interrupt, is an answer, too. */
static PyObject *ask_glue(PyObject *request)
{
    cleanup_py PyObject *frames = stop_frames();
    PyObject *adapter = frames != NULL ? glue() : NULL;
    PyObject *answer = NULL;
    bool interrupted;

    if (adapter != NULL) {
        state.has_references = true;
        answer = PyObject_CallMethod(adapter, "handle", "OO", request, frames);
    }
    if (answer != NULL)
        return answer;
    interrupted = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    PyErr_Clear(); /* said in other words */
    return response(request, interrupted ? "it was interrupted" : "the debugger failed over it");
}

static int post(uint32_t cell, const char *number, PyObject *answer)
{
    cleanup_py PyObject *text = answer != NULL ? json_encode(answer) : NULL;
    struct bytes parts[2] = {BYTES_NONE, bytes_of_string(number)};
    struct frame frame = {FRAME_DEBUG_REPLY, cell, 2, parts};
    Py_ssize_t size;
    char *data;

    if (text == NULL || PyBytes_AsStringAndSize(text, &data, &size) < 0)
        return -1;
    parts[0] = (struct bytes){data, (size_t)size};
    if (!frame_fits(&frame))
        return -1;
    link_end_post(&frame);
    return 0;
}

static void post_surely(uint32_t cell, const char *number, PyObject *answer)
{
    static const struct bytes last_resort =
        BYTES_LITERAL("{\"type\":\"response\",\"success\":false,\"message\":\"the answer cannot be sent\"}");
    struct bytes parts[2] = {last_resort, bytes_of_string(number)};

    if (post(cell, number, answer) == 0)
        return;
    PyErr_Clear(); /* memory is out, or a cell has changed what encodes JSON */
    link_end_post(&(struct frame){FRAME_DEBUG_REPLY, cell, 2, parts});
}

/* What is in the frame is gone as soon as the link is read again, by an input() in what is evaluated. */
static void copy_number(const struct frame *frame, char number[NUMBER_SIZE])
{
    snprintf(number, NUMBER_SIZE, "%.*s", (int)frame->parts[1].size,
             (const char *)frame->parts[1].data);
}

void debug_answer(const struct frame *frame, PyObject *request)
{
    cleanup_py PyObject *answer = NULL;
    uint32_t cell = frame->cell;
    char number[NUMBER_SIZE];

    copy_number(frame, number);
    answer = ask_glue(request);
    post_surely(cell, number, answer);
}

void debug_answer_empty(const struct frame *frame, PyObject *request)
{
    cleanup_py PyObject *answer = response(request, NULL);
    char number[NUMBER_SIZE];

    copy_number(frame, number);
    post_surely(frame->cell, number, answer);
}

PyObject *debug_code_lines(PyObject *text)
{
    return state.glue != NULL ? PyObject_CallMethod(state.glue, "code_lines", "(O)", text)
                              : PyList_New(0);
}

PyObject *debug_traceback_frames(PyObject *traceback)
{
    return state.glue != NULL ? PyObject_CallMethod(state.glue, "traceback_frames", "(O)", traceback)
                              : PyList_New(0);
}

void debug_forget_references(void)
{
    cleanup_py PyObject *done = NULL;

    if (!state.has_references || state.glue == NULL)
        return;
    state.has_references = false;
    done = PyObject_CallMethod(state.glue, "forget", NULL);
    if (done == NULL)
        PyErr_Clear(); /* a cell has changed the glue: it keeps its objects itself */
}

/* ---- between requests and around them --------------------------------------------------------- */

int debug_take_while_running(const struct frame *frame)
{
    cleanup_py PyObject *request = NULL;
    PyObject *command;

    if (debug_is(frame, "settings"))
        return debug_take_settings(frame);
    request = debug_decode(frame);
    if (request == NULL)
        return -1;
    command = debug_command(request);
    if (command != NULL && PyUnicode_CompareWithASCIIString(command, "pause") == 0)
        tracer_pause();
    return 0;
}

static PyObject *answer_idle(const struct frame *frame)
{
    cleanup_py PyObject *request = NULL;

    if (attribution_begin_request(frame->cell) < 0 || interrupt_begin_cell() < 0)
        return NULL;
    request = debug_decode(frame);
    return request != NULL ? ask_glue(request) : NULL;
}

void debug_request(const struct frame *frame)
{
    uint32_t cell = frame->cell;
    PyObject *answer;

    if (debug_is(frame, "settings") && debug_take_settings(frame) < 0)
        error_print("taking the settings of a debugger");
    if (!debug_is(frame, "request"))
        return; /* for a stop that is over */
    answer = answer_idle(frame);
    if (answer == NULL) {
        cleanup_py PyObject *exception = error_take();

        answer = exception != NULL ? reply_error_content(exception) : NULL;
    }
    reply_send(cell, answer);
    Py_XDECREF(answer);
}

static bool runs_user_code(enum frame_type type)
{
    return type == FRAME_EXECUTE || type == FRAME_COMM_OPEN_REQUEST ||
           type == FRAME_COMM_MSG_REQUEST || type == FRAME_COMM_CLOSE_REQUEST;
}

void debug_begin(enum frame_type type)
{
    if (!runs_user_code(type))
        return;
    if (state.has_references)
        debug_forget_references();
    if (breakpoints_is_attached())
        tracer_begin();
}

void debug_end(void)
{
    tracer_end();
}
