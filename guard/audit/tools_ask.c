/* Is a tool asking, and does its policy accept the call? The registry is in tools.c. */
#include "guard/audit/arguments.h"
#include "guard/audit/caller.h"
#include "guard/audit/carriers.h"
#include "guard/audit/class_parts.h"
#include "guard/audit/held_carriers.h"
#include "guard/audit/surroundings.h"
#include "guard/audit/tool.h"
#include "guard/audit/tool_tasks.h"
#include "guard/python/compat.h"
#include "guard/python/stack.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)SNAPSHOT_NAME <= (int)TOOL_POLICY_WORDS, "one buffer serves both");

static _Thread_local bool is_barred; /* among others for what an answer itself does */

bool tools_bar(void)
{
    bool before = is_barred;

    is_barred = true;
    return before;
}

void tools_unbar(bool before)
{
    is_barred = before;
}

static _Thread_local const void *apart; /* compared only; it runs for as long as this holds */

const void *tools_begin_apart(void)
{
    const void *before = apart;

    apart = PyEval_GetFrame();
    return before;
}

void tools_end_apart(const void *before)
{
    apart = before;
}

bool tools_are_apart_from(const void *frame)
{
    return frame == apart && frame != NULL;
}

/* ---- is it this tool? ----------------------------------------------------------------------- */

static bool holds(PyObject *types, PyObject *type)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(types); i++)
        if (PyTuple_GetItem(types, i) == type)
            return true;
    return false;
}

static bool fits_self(const struct tool *tool, PyObject *self)
{
    switch (tool->self) {
    case TOOL_FUNCTION:
        return true;
    case TOOL_METHOD:
        return self != NULL && holds(tool->types, (PyObject *)Py_TYPE(self));
    case TOOL_CLASS:
        return self != NULL && holds(tool->types, self);
    case TOOL_INSTANCE:
        return self == tool->owner;
    }
    return false;
}

bool tool_runs_in(const struct tool *tool, PyFrameObject *frame, PyObject *code)
{
    cleanup_py PyObject *globals = compat.frame_globals((PyObject *)frame);
    cleanup_py PyObject *self = NULL;

    if (!tool->is_frozen || globals != compat.function_globals(tool->callable))
        return false;
    if (tool->self != TOOL_FUNCTION)
        self = arguments_first(frame, code);
    return fits_self(tool, self) &&
           (tool->snapshot == NULL || snapshot_fits_closure(tool->snapshot, frame));
}

/* ---- the answer ----------------------------------------------------------------------------- */

/* One question on its way outwards. */
struct asking {
    const struct tools_question *question;
    struct signal_handlers handlers;
    enum tools_answer answer;
    PyObject *at;               /* the frame that is asked; borrowed */
    const struct tool *refused; /* the innermost tool that says no */
    char words[DENIAL_TEXT];    /* why: of all that say no, the innermost first */
    bool was_changed;
};

static void note_refusal(struct asking *asking, const struct tool *tool, const char *words)
{
    size_t used = strlen(asking->words);

    asking->answer = TOOLS_REFUSE;
    if (asking->refused == NULL)
        asking->refused = tool;
    if (strstr(asking->words, words) == NULL)
        snprintf(asking->words + used, sizeof(asking->words) - used, "%s%s", used > 0 ? "; " : "",
                 words);
}

/* What the cell may have put between itself and the tool. Who made `self` decides about it: the host has
   named the class or the object. */
static bool carries(const struct tool *tool, PyObject *at, const struct recovered *recovered, char words[TOOL_POLICY_WORDS])
{
    char name[CARRIER_NAME];

    if (held_carriers_run(at, recovered, tool->snapshot))
        snprintf(name, sizeof(name), "what an object calls");
    else if (!carriers_are_in(recovered->args, name) && !carriers_are_in(recovered->kwargs, name))
        return false;
    snprintf(words, TOOL_POLICY_WORDS,
             "it was handed something that would run with its rights (%s); hand it a lambda instead",
             name);
    return true;
}

/* `shell.command = lambda: …`: a method that the tool calls, and that its class does not have. Other
   attributes of self are data, like arguments: for the policy to look at. */
static bool replaces_method(PyObject *self, char words[TOOL_POLICY_WORDS])
{
    cleanup_py PyObject *space = PyObject_GenericGetDict(self, NULL);
    PyObject *name;
    PyObject *value;
    Py_ssize_t at = 0;

    PyErr_Clear(); /* no __dict__: nothing to replace */
    if (space == NULL)
        return false;
    /* What finds, and what is found there, a cell's class could say. */
    if (!PyDict_CheckExact(space) || !snapshot_names_are_plain(space)) {
        snprintf(words, TOOL_POLICY_WORDS, "the __dict__ of its object");
        return true;
    }
    while (PyDict_Next(space, &at, &name, &value)) {
        if (!class_has_function(Py_TYPE(self), name))
            continue;
        snprintf(words, TOOL_POLICY_WORDS, "%.100s of its object", PyUnicode_AsUTF8AndSize(name, NULL));
        return true;
    }
    return false;
}

static void judge(struct asking *asking, const struct tool *tool, const struct recovered *recovered)
{
    char words[TOOL_POLICY_WORDS];

    if (!surroundings_hold(&asking->handlers, words) || !tool_tasks_loop_holds(words) ||
        (recovered->self != NULL && replaces_method(recovered->self, words))) {
        asking->was_changed = asking->was_changed || asking->refused == NULL;
        note_refusal(asking, tool, words);
        return;
    }
    if (!tool->policy.only_files && carries(tool, asking->at, recovered, words)) {
        note_refusal(asking, tool, words);
        return;
    }
    if (tool->snapshot != NULL && !snapshot_holds(tool->snapshot, words)) {
        asking->was_changed = asking->was_changed || asking->refused == NULL;
        note_refusal(asking, tool, words);
        return;
    }
    switch (tool_policy_ask(&tool->policy, recovered, asking->question, words)) {
    case TOOLS_ALLOW:
        asking->answer = TOOLS_ALLOW;
        break;
    case TOOLS_REFUSE:
        note_refusal(asking, tool, words);
        break;
    case TOOLS_SAY_NOTHING:
        break;
    }
}

static void judge_frame(struct asking *asking, const struct tool *tool, PyFrameObject *frame,
                        PyObject *code)
{
    cleanup_recovered struct recovered recovered = RECOVERED_NONE;

    if (!tool_runs_in(tool, frame, code))
        return;
    if (arguments_recover(frame, code, tool->self != TOOL_FUNCTION, &recovered) == 0)
        judge(asking, tool, &recovered);
    PyErr_Clear(); /* without its arguments a call is nobody's */
}

static void judge_builtin(struct asking *asking, const struct tool *tool,
                          const struct method_call *call)
{
    cleanup_recovered struct recovered recovered = RECOVERED_NONE;

    if (!tool->is_frozen || !fits_self(tool, call->self))
        return;
    if (tool->self != TOOL_FUNCTION)
        recovered.self = py_own(call->self);
    if (arguments_of_call(call->args, call->positional, call->kwnames, &recovered) == 0)
        judge(asking, tool, &recovered);
    PyErr_Clear(); /* as above */
}

/* One registration that allows is enough. */
static void ask_builtin(struct asking *asking, const struct native_call *native)
{
    for (const struct tool *tool = native->tools; tool != NULL && asking->answer != TOOLS_ALLOW;
         tool = tool->next_alike)
        judge_builtin(asking, tool, native->call);
}

static void ask_frame(struct asking *asking, PyFrameObject *frame, PyObject *code)
{
    for (const struct tool *tool = tool_of_code(code); tool != NULL && asking->answer != TOOLS_ALLOW;
         tool = tool->next_alike)
        judge_frame(asking, tool, frame, code);
}

/* A task that the tool has started: its call stands beyond the loop. */
static void ask_owner(struct asking *asking, PyObject *frame)
{
    cleanup_py PyObject *owner = asking->answer != TOOLS_ALLOW ? tool_tasks_owner(frame) : NULL;
    cleanup_py PyObject *code = owner != NULL ? stack_code(owner) : NULL;

    if (code != NULL)
        ask_frame(asking, (PyFrameObject *)owner, code);
}

static void walk(struct asking *asking)
{
    cleanup_py PyObject *frame = stack_innermost();
    const struct native_call *native = tool_native_call();

    for (;;) {
        cleanup_py PyObject *code = NULL;

        if (tools_are_apart_from(frame))
            return;
        asking->at = frame;
        /* Built-ins that this frame has called stand before the frame itself. */
        for (; native != NULL && (PyObject *)native->frame == frame; native = native->outer)
            ask_builtin(asking, native);
        if (frame == NULL || asking->answer == TOOLS_ALLOW)
            return;
        code = stack_code(frame);
        if (caller_is_marked_user(code) || surroundings_are_barrier(&asking->handlers, code))
            return;
        ask_frame(asking, (PyFrameObject *)frame, code);
        ask_owner(asking, frame);
        /* The host's own code counts as the user's under mk_audit(): a tool is part of it, its neighbour
           is a barrier. */
        if (asking->answer == TOOLS_ALLOW || caller_is_user(asking->question->scope, code))
            return;
        stack_step_out(&frame);
    }
}

static void explain(const struct asking *asking, struct denial *denial)
{
    const char *name = asking->refused->name;

    denial->rule = "allow";
    denial->remedy = "call it with arguments that its policy accepts";
    if (!asking->was_changed) {
        snprintf(denial->reason, sizeof(denial->reason), "%.100s is allowed, but not so: %.380s", name,
                 asking->words);
        return;
    }
    denial->remedy = "put back what was changed, or start the kernel anew";
    snprintf(denial->reason, sizeof(denial->reason),
             "%.100s has lost its rights: %.300s is not what it was when the guard closed", name,
             asking->words);
}

enum tools_answer tools_ask(const struct tools_question *question, struct denial *ret_denial)
{
    struct asking asking = {.question = question, .answer = TOOLS_SAY_NOTHING};

    if (!tools_exist() || is_barred)
        return TOOLS_SAY_NOTHING;
    is_barred = true;
    signal_handlers_read(&asking.handlers);
    walk(&asking);
    signal_handlers_finish(&asking.handlers);
    is_barred = false;
    PyErr_Clear(); /* an answer is given in any case */
    if (asking.answer == TOOLS_REFUSE)
        explain(&asking, ret_denial);
    return asking.answer;
}
