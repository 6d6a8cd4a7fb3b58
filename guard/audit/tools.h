/*
 * tools - the functions that may do what the cells that call them may not
 *
 * The third kind of code besides a user's and a library's: registered by allow() before user code runs
 * (or, in a host program, outside of it). An event that the policy denies is allowed after all when,
 * walking outwards from the innermost frame, a tool comes before any user code and the tool's own policy
 * accepts the arguments of the call. So the right belongs to the call: a callback of the cell's, run by
 * the tool, has none of it, nor has what the cell does afterwards.
 *
 * A tool is known by identity: the code object, with the globals, the closure and, for a method, the exact
 * type (or the very object) of self; a built-in function by its PyMethodDef. Names are for messages. What
 * the tool can name is remembered when the guard closes (guard/audit/snapshot): a cell that changes it
 * ends the trust. Not for what a denial says otherwise. Registrations live until the process ends.
 */
#pragma once

#include "guard/audit/scope.h"
#include "guard/policy/verdict.h"

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

enum tool_self {
    TOOL_FUNCTION, /* nothing is asked about the first argument */
    TOOL_METHOD,   /* its exact type is `owner`, or a subclass that existed when the guard closed */
    TOOL_CLASS,    /* it is the class `owner` itself, or such a subclass */
    TOOL_INSTANCE, /* it is `owner` itself */
};

struct tool_registration {
    PyObject *callable; /* a function in Python, a built-in function or method; or any other
                           object, which is then known but has no rights */
    enum tool_self self;
    PyObject *owner;    /* NULL for TOOL_FUNCTION */
    PyObject *policy;   /* called as policy(obj, args, kwargs, data); raises to refuse. NULL: none */
    PyObject *may_change; /* names in its globals that it changes itself; NULL or None: none */
    const char *name;   /* for messages */
};

/* Everything is kept. Returns 0, or -1 with an exception set. */
int tools_add(const struct tool_registration *registration);

/*
 * tools_freeze() - what is registered, as it is now
 *
 * After the interposed built-ins are patched and before user code; again when something was added.
 * Costs one comparison when nothing was. Returns 0, or -1 with an exception set.
 */
int tools_freeze(void);

/* How many there are, and: only the first so many stay. What tools_freeze() has seen stays as well. */
size_t tools_count(void);
void tools_forget(size_t count);

/* Are there any? */
bool tools_exist(void);

struct tools_question {
    const char *event;
    bool is_native_call;         /* not what a call does, but that it is made at all */
    const struct scope *scope;   /* in force; its policy is where data["ok_dests"] comes from */
};

enum tools_answer {
    TOOLS_SAY_NOTHING, /* no tool is asking */
    TOOLS_ALLOW,
    TOOLS_REFUSE,      /* a tool is asking, but not so: the denial says why */
};

/* An event was denied: is a tool asking? Leaves no exception set. */
enum tools_answer tools_ask(const struct tools_question *question, struct denial *ret_denial);

/* From here on nothing on this thread has a tool's rights, until tools_unbar() gets what this returned. */
bool tools_bar(void);
void tools_unbar(bool before);

/* What is called from here on, on this thread, is not called by the frame that runs now: no tool further out asks for it. Until
   tools_end_apart() gets what this returned. */
const void *tools_begin_apart(void);
void tools_end_apart(const void *before);
/* Is it that frame? */
bool tools_are_apart_from(const void *frame);

/* Is this object a registered callable: for calls that are judged before they happen. */
bool tools_hold(PyObject *callable);

/* What goes into `data` of every policy: copied now. -1 with an exception set. */
int tools_set_data(PyObject *dict);

/* The names, in the order of registration: a new list. */
PyObject *tools_names(void);
