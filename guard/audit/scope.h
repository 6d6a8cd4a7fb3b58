/*
 * scope - which policy judges what happens now
 *
 * The guard process has one scope for everything, from audit_arm() to its end. A host program has one
 * for each mk_audit() and RunPython(): it holds in the logical task that entered it (a ContextVar, which
 * child tasks inherit), and wherever code that was compiled under it stands on the stack, whatever the
 * context says. Everything lives in C: what Python code can see of it is an opaque capsule in its context.
 * Not for decisions. A scope is counted: by the Python object it belongs to, by entries and by the marks
 * of code objects.
 */
#pragma once

#include "guard/policy/policy.h"
#include "guard/python/py_cleanup.h"

#include <Python.h>

/* What the host program said; all owned, each may be NULL. */
struct scope_host {
    PyObject *before_deny; /* asked before a refusal: see host_answer.h */
    int deny_form;         /* how many arguments it takes: 1, 5 or 6 */
    bool is_pre_deny;      /* its "no" is the last word */
    PyObject *deny_sixth;  /* pre_deny: the sixth of them; else what makes it of a frame */
    PyObject *deny_info;   /* the class of the only one */
    PyObject *on_call;     /* asked about native calls that are not known to be harmless */
    PyObject *monitor_hooks; /* a tuple: the same of installed packages, asked before */
    PyObject *frozen_data; /* a plain copy that nobody else refers to */
};

struct scope {
    const struct policy *policy; /* owned in a host program; sealed */
    bool is_process;             /* the guard process: armed for ever */
    bool judges_host_code;       /* mk_audit(): what was not compiled under it is judged like user code,
                                    unless it belongs to a library */
    bool monitors;               /* native calls are looked at (Python 3.12 and later) */
    struct string_list import_allow; /* modules that may do what they need while they are imported */
    struct string_list safe_native;  /* packages whose native functions are known to be harmless */
    struct scope_host host;
    unsigned number; /* what marks carry; 0 in the guard process */
    unsigned long references;
};

/* ---- the guard process ---- */

/* From now on this policy (borrowed for ever) judges everything; one that is "open" judges nothing. */
void scope_arm_process(const struct policy *policy);
bool scope_is_process_armed(void);
/* Borrowed; NULL before scope_arm_process(). */
const struct policy *scope_process_policy(void);

/* ---- a host program ---- */

/* The ContextVar and the table. Returns 0 or -1 with an exception. Idempotent. */
int scope_start(void);

/* policy: TAKEN, sealed. One reference, the caller's; NULL with an exception when there are too many. */
struct scope *scope_new(struct policy *policy);
void scope_reference(struct scope *scope);
/* NULL is nothing. The last one releases the host's objects: may run Python code. */
void scope_release(struct scope *scope);
static inline void cleanup_scope_at(struct scope **scope)
{
    scope_release(*scope);
}
#define cleanup_scope cleanup_with(cleanup_scope_at)

/* An entered scope, as its context carries it. */
struct scope_entry {
    struct scope *scope;
    PyObject *data;       /* the host's data as it was at entry; NULL for none */
    unsigned long thread; /* where it was entered, and by whom: for messages */
    const void *frame;    /* compared only */
    PyObject *chain;      /* "a.f -> b.g"; NULL when it could not be told */
    char *refused;        /* what was refused first, in words; NULL: nothing */
};

/* A new capsule with a new entry, for scope_set(). NULL with an exception. */
PyObject *scope_entry_new(struct scope *scope);
struct scope_entry *scope_entry_of(PyObject *capsule);

/* From now on, in this context. ret_token: for scope_reset(), which undoes it. 0 or -1. */
int scope_set(PyObject *capsule, PyObject **ret_token);
/* token: TAKEN. 0 or -1. */
int scope_reset(PyObject *token);

/* ---- asking ---- */

/* The entry of this context as a borrowed pointer that its context keeps; NULL for none. */
const struct scope_entry *scope_entry_current(void);
/* This was refused in this context: kept if it is the first thing. */
void scope_note_refusal(const char *words, const char *reason, const char *remedy);
/* The same as an object, new; NULL without an exception for none. `context`: NULL for the current one. */
PyObject *scope_capsule_of(PyObject *context);

/* False: nothing is judged anywhere in this process, scope_current() need not be asked. */
bool scope_may_judge(void);
/* What judges now; NULL: nothing does. Runs no Python code, leaves no exception set. */
const struct scope *scope_current(void);

/* The scope behind a mark; NULL for a number that is none. */
struct scope *scope_by_number(unsigned number);
/* A code object was marked for it, or one of them ended. */
void scope_count_mark(struct scope *scope);
void scope_drop_mark(unsigned number);

/* Is this the variable that carries scopes? Nobody else may set it. */
bool scope_is_variable(PyObject *object);
