/*
 * audit - the interpreter ring: every audit event is judged by the policy
 *
 * The hook is put in before the interpreter starts (or when the module is loaded) and lets everything
 * pass until it is armed; from then on it judges every thread, callback and finalizer until the
 * process ends. Policy and state live in C only. Not for the user-code rules (guard/rules) and not
 * for what native code does (the OS ring). Takes the policy and keeps it for ever.
 */
#pragma once

#include "guard/audit/scope.h"
#include "guard/policy/policy.h"

#include <Python.h>

/* Puts the hook in, disarmed. Before Py_Initialize in the embedded host. compat_init() comes first.
   Returns 0 or -errno. */
int audit_install(void);

/*
 * audit_arm() - from now on the policy holds
 *
 * After the warm-up, before the first user code; with the GIL. Patches the built-ins that raise no
 * event, then proves with an event of its own that the hook judges.
 *
 * policy   TAKEN, sealed by this call if it is not yet
 * link_fd  the descriptor that cells may not write to, duplicate or close; -1 for none
 *
 * Returns 0, or -1 with an exception set: the guard must not start then.
 */
int audit_arm(struct policy *policy, int link_fd);

/* Borrowed; NULL before audit_arm(). */
const struct policy *audit_policy(void);

/*
 * audit_new_scope() - a guard of a host program, which holds where it is entered (scope.h)
 *
 * The first one puts the hook in and patches the built-ins that raise no event.
 *
 * policy  TAKEN, sealed by this call
 *
 * One reference, or NULL with an exception set; always in the guard process.
 */
struct scope *audit_new_scope(struct policy *policy);

/* Marks a code object and all that is nested in it as user code: before it runs. -1: exception set. */
int audit_register_user_code(PyObject *code);
/* Is this code object user code? For stripping tracebacks and choosing frames. */
bool audit_is_user_code(PyObject *code);

/*
 * The guard's own work in the middle of a session (formatting, completion by its glue) asks as library
 * code and needs no exemption. Where it sets tracing functions, it does so between begin_host_work() and the end, on
 * one thread, with the GIL, and nothing of a cell's runs meanwhile. Compiling a cell asks as library code does:
 * a class of the tree can run code, without a frame. Nestable; end what was begun on every path.
 */
void audit_begin_host_work(void);
void audit_begin_compiling(void);
void audit_end_host_work(void);

/* Before the first request: what could not be guarded in time later. */
void audit_load_modules(void);

/* After each request: a debugger that it started traces no longer. */
void audit_end_tracing(void);

/* One refusal, also when a library swallows the exception. All texts are borrowed UTF-8. */
struct audit_denial {
    const char *event;   /* audit event or built-in: "os.remove" */
    const char *rule;    /* which key or ring */
    const char *subject; /* path, name or "" */
    const char *words;   /* what the cell did: completes "safepyrun refused to …" */
    const char *reason;
    const char *remedy;
    const char *message; /* what the user reads: all of it */
};
typedef void (*audit_denial_function)(const struct audit_denial *denial, void *data);
/* Called with the GIL, in any thread; must not run Python code. */
void audit_set_denial_callback(audit_denial_function function, void *data);
