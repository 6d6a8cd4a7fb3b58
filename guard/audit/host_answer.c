#include "guard/audit/host_answer.h"

#include "guard/audit/callback.h"
#include "guard/audit/caller.h"
#include "guard/audit/frame_view.h"
#include "guard/audit/host_data.h"
#include "guard/audit/plain.h"
#include "guard/audit/tracked_calls.h"
#include "guard/python/error.h"
#include "guard/python/stack.h"

#include <stdio.h>
#include <string.h>

/* ---- asking --------------------------------------------------------------------------------- */

/* The arguments of the event as a tuple of plain copies. */
static PyObject *copy_arguments(const struct facts_source *source)
{
    cleanup_py PyObject *tuple = PyTuple_New(source->count);

    for (Py_ssize_t i = 0; tuple != NULL && i < source->count; i++) {
        PyObject *item =
            source->items != NULL ? source->items[i] : PyTuple_GetItem(source->tuple, i);
        PyObject *copy = plain_copy(item != NULL ? item : Py_None);

        if (copy == NULL || PyTuple_SetItem(tuple, i, copy) < 0)
            return NULL;
    }
    return steal(tuple);
}

PyObject *host_answer_data(const struct scope *scope)
{
    const struct scope_entry *entry = scope_entry_current();
    PyObject *data =
        entry != NULL && entry->scope == scope ? entry->data : scope->host.frozen_data;

    return host_data_copy(data != NULL ? data : Py_None, false);
}

/* pre_deny: frame_args(). before_deny: an object of the class CallInfo for each tracked call. */
static PyObject *sixth_argument(const struct scope_host *host)
{
    cleanup_py PyObject *frames = NULL;
    cleanup_py PyObject *calls = NULL;

    if (host->is_pre_deny)
        return py_own(host->deny_sixth);
    frames = tracked_calls_frames();
    calls = frames != NULL ? PyTuple_New(PyTuple_Size(frames)) : NULL;
    for (Py_ssize_t i = 0; calls != NULL && i < PyTuple_Size(frames); i++) {
        cleanup_py PyObject *args = PyTuple_Pack(1, PyTuple_GetItem(frames, i));
        PyObject *call = args != NULL ? callback_call(host->deny_sixth, args) : NULL;

        if (call == NULL || PyTuple_SetItem(calls, i, call) < 0)
            return NULL;
    }
    return steal(calls);
}

static PyObject *question_for(const struct scope *scope, const char *event, const char *words,
                              const struct facts_source *source, const struct denial *denial)
{
    cleanup_py PyObject *name = PyUnicode_DecodeUTF8(event, (Py_ssize_t)strlen(event), "replace");
    cleanup_py PyObject *args = name != NULL && plain_init() == 0 ? copy_arguments(source) : NULL;
    cleanup_py PyObject *frame = args != NULL ? frame_view_innermost() : NULL;
    cleanup_py PyObject *message = NULL;
    cleanup_free char *sentence = NULL;
    cleanup_py PyObject *data = frame != NULL ? host_answer_data(scope) : NULL;

    if (data == NULL)
        return NULL;
    sentence = verdict_sentence(words, denial->reason, denial->remedy);
    message = PyUnicode_DecodeUTF8(sentence, (Py_ssize_t)strlen(sentence), "replace");
    if (message == NULL)
        return NULL;
    if (scope->host.deny_form == 6) {
        cleanup_py PyObject *sixth = sixth_argument(&scope->host);

        return sixth != NULL ? PyTuple_Pack(6, name, args, frame, message, data, sixth) : NULL;
    }
    return PyTuple_Pack(5, name, args, frame, message, data);
}

/* new; NULL with an exception: the host's, or that memory is short. */
static PyObject *ask(const struct scope_host *host, PyObject *question)
{
    cleanup_py PyObject *info = NULL;
    cleanup_py PyObject *only = NULL;

    if (host->deny_form != 1)
        return callback_call(host->before_deny, question);
    info = callback_call(host->deny_info, question);
    only = info != NULL ? PyTuple_Pack(1, info) : NULL;
    return only != NULL ? callback_call(host->before_deny, only) : NULL;
}

/* bool() of an object of the host's: as its work, too. */
static int is_true(PyObject *answer)
{
    cleanup_py PyObject *args = PyTuple_Pack(1, answer);
    cleanup_py PyObject *value =
        args != NULL ? callback_call((PyObject *)&PyBool_Type, args) : NULL;

    return value != NULL ? value == Py_True : -1;
}

/* PermissionError is how a host refuses; any other exception is a mistake in it, and no permission. */
static void take_words(struct denial *denial)
{
    cleanup_py PyObject *exception = error_take();
    cleanup_py PyObject *args = exception != NULL ? PyTuple_Pack(1, exception) : NULL;
    bool is_refusal =
        exception != NULL && PyErr_GivenExceptionMatches(exception, PyExc_PermissionError);
    cleanup_py PyObject *text =
        is_refusal && args != NULL ? callback_call((PyObject *)&PyUnicode_Type, args) : NULL;
    const char *utf8 = text != NULL ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
    cleanup_py PyObject *type = exception != NULL ? PyType_GetName(Py_TYPE(exception)) : NULL;

    if (utf8 != NULL)
        snprintf(denial->reason, sizeof(denial->reason), "%s", utf8);
    else if (type != NULL)
        snprintf(denial->reason, sizeof(denial->reason), "the host's before_deny failed (%s)",
                 PyUnicode_AsUTF8AndSize(type, NULL));
    PyErr_Clear();
}

/* ---- programs ------------------------------------------------------------------------------- */

#define POPEN_ARGUMENTS 4     /* of the event: program, arguments, folder, environment */
#define FORK_EXEC_ARGUMENTS 3 /* of the event, which the function cannot be called with: programs, arguments, environment */

/* The frame of subprocess whose program the host has let pass in this thread; held, so that no other one gets its place. */
static _Thread_local PyObject *starting;

/* The one in which fork_exec() was let pass and runs; an address only. */
static _Thread_local const void *called_in;

static void forget_start(void)
{
    PyObject *frame = starting;

    starting = NULL;
    Py_XDECREF(frame);
}

/* An event can be raised by anybody; what follows it counts in the library alone. */
static void note_start(const struct scope *scope, const char *event, const struct facts_source *source)
{
    cleanup_py PyObject *frame = NULL;
    cleanup_py PyObject *code = NULL;

    if (strcmp(event, "subprocess.Popen") != 0 || source->count != POPEN_ARGUMENTS)
        return;
    frame = stack_innermost();
    code = frame != NULL ? stack_code(frame) : NULL;
    if (code != NULL && !caller_is_user(scope, code))
        starting = steal(frame);
}

/* subprocess tells what it starts, and then starts it: fork_exec() is not asked about once more, since its arguments
   say nothing to a host that has decided by those of the event. */
static bool is_call_of_start(void)
{
    bool is = starting != NULL && starting == (PyObject *)PyEval_GetFrame();

    if (is) {
        called_in = starting;
        forget_start();
    }
    return is;
}

/* From 3.14 on it raises an event of its own in there. Who raises that by himself starts nothing. */
static bool is_event_of_start(void)
{
    bool is = called_in != NULL && called_in == (const void *)PyEval_GetFrame();

    called_in = NULL;
    return is;
}

static bool is_start(const char *event, const struct facts_source *source)
{
    if (strcmp(event, "_posixsubprocess.fork_exec") != 0)
        return false;
    return source->count == FORK_EXEC_ARGUMENTS ? is_event_of_start() : is_call_of_start();
}

enum host_answer host_answer_ask(const struct scope *scope, const char *event, const char *words,
                                 const struct facts_source *source, struct denial *denial)
{
    cleanup_py PyObject *question = NULL;
    cleanup_py PyObject *answer = NULL;
    int permits;

    if (scope->host.before_deny == NULL)
        return HOST_SAYS_NOTHING;
    if (is_start(event, source))
        return HOST_ALLOWS;
    if (strcmp(event, "subprocess.Popen") == 0)
        forget_start();
    question = question_for(scope, event, words, source, denial);
    if (question != NULL)
        answer = ask(&scope->host, question);
    permits = answer == NULL ? -1 : is_true(answer);
    if (permits < 0) {
        take_words(denial);
        return HOST_REFUSES;
    }
    if (permits > 0) {
        note_start(scope, event, source);
        return HOST_ALLOWS;
    }
    return answer != Py_None && scope->host.is_pre_deny ? HOST_REFUSES : HOST_SAYS_NOTHING;
}

/* ---- words ---------------------------------------------------------------------------------- */

/* Does the one who entered stand on this stack? Then the call chain names him. */
static bool is_below(const struct scope_entry *entry)
{
    cleanup_py PyObject *frame = stack_innermost();

    while (frame != NULL && frame != entry->frame)
        stack_step_out(&frame);
    return frame != NULL;
}

char *host_answer_trail(const struct scope *scope)
{
    const struct scope_entry *entry = scope_entry_current();
    cleanup_py PyObject *chain = NULL;
    cleanup_py PyObject *text = NULL;
    const char *utf8;
    char *trail = NULL;

    if (scope->is_process)
        return NULL;
    chain = frame_view_chain();
    if (chain != NULL && entry != NULL && entry->chain != NULL && !is_below(entry))
        text = PyUnicode_FromFormat("\nCall chain: %U\nAudit context entered in thread %lu by: %U",
                                    chain, entry->thread, entry->chain);
    else if (chain != NULL)
        text = PyUnicode_FromFormat("\nCall chain: %U", chain);
    utf8 = text != NULL ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
    if (utf8 != NULL)
        trail = xstrdup(utf8);
    PyErr_Clear();
    return trail;
}
