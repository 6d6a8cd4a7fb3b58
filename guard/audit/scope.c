#include "guard/audit/scope.h"

#include "guard/audit/callback.h"
#include "guard/audit/caller.h"
#include "guard/audit/frame_view.h"
#include "guard/audit/tools.h"
#include "guard/python/compat.h"

#include <stdlib.h>

#define CAPSULE_NAME "safepyrun.scope"
#define SCOPES_MAX (1u << 20) /* alive at the same time; a mark has room for more */

static struct {
    struct scope process;
    bool process_is_armed;
    bool process_judges;
    PyObject *variable;
    PyTypeObject *capsule_type;
    struct scope **by_number; /* [0] is never used */
    unsigned count;           /* of places in by_number */
    unsigned alive;           /* scopes of a host program */
    unsigned long marks;      /* code objects that carry a scope */
} state;

/* ---- the guard process ---------------------------------------------------------------------- */

const struct policy *scope_process_policy(void)
{
    return state.process.policy;
}

void scope_arm_process(const struct policy *policy)
{
    state.process = (struct scope){.policy = policy, .is_process = true};
    state.process_judges = policy->preset != POLICY_OPEN;
    state.process_is_armed = true;
}

bool scope_is_process_armed(void)
{
    return state.process_is_armed;
}

/* ---- life ----------------------------------------------------------------------------------- */

int scope_start(void)
{
    cleanup_py PyObject *capsule = NULL;

    if (state.variable != NULL)
        return 0;
    capsule = PyCapsule_New(&state, CAPSULE_NAME, NULL);
    if (capsule == NULL)
        return -1;
    state.capsule_type = Py_TYPE(capsule);
    state.variable = compat.context_var_new("safepyrun", NULL);
    return state.variable != NULL ? 0 : -1;
}

static unsigned free_number(void)
{
    for (unsigned i = 1; i < state.count; i++)
        if (state.by_number[i] == NULL)
            return i;
    return state.count > 0 ? state.count : 1;
}

struct scope *scope_new(struct policy *policy)
{
    unsigned number = free_number();
    struct scope *scope;

    policy_seal(policy);
    if (number >= SCOPES_MAX) {
        policy_free(policy);
        PyErr_SetString(PyExc_RuntimeError, "there are too many guards in this process");
        return NULL;
    }
    if (number >= state.count) {
        unsigned count = number < 8 ? 16 : 2 * number;

        state.by_number = xrealloc(state.by_number, count * sizeof(struct scope *));
        for (unsigned i = state.count; i < count; i++)
            state.by_number[i] = NULL;
        state.count = count;
    }
    scope = xcalloc(1, sizeof(*scope));
    *scope = (struct scope){.policy = policy, .number = number, .references = 1};
    state.by_number[number] = scope;
    state.alive++;
    return scope;
}

void scope_reference(struct scope *scope)
{
    scope->references++;
}

void scope_release(struct scope *scope)
{
    struct scope_host host;

    if (scope == NULL || --scope->references > 0)
        return;
    state.by_number[scope->number] = NULL;
    state.alive--;
    host = scope->host;
    string_list_finish(&scope->import_allow);
    string_list_finish(&scope->safe_native);
    policy_free((struct policy *)scope->policy);
    free(scope);
    Py_XDECREF(host.before_deny);
    Py_XDECREF(host.deny_sixth);
    Py_XDECREF(host.deny_info);
    Py_XDECREF(host.on_call);
    Py_XDECREF(host.monitor_hooks);
    Py_XDECREF(host.frozen_data);
}

struct scope *scope_by_number(unsigned number)
{
    return number < state.count ? state.by_number[number] : NULL;
}

void scope_count_mark(struct scope *scope)
{
    scope_reference(scope);
    state.marks++;
}

void scope_drop_mark(unsigned number)
{
    struct scope *scope = scope_by_number(number);

    if (scope == NULL)
        return;
    state.marks--;
    scope_release(scope);
}

/* ---- entries -------------------------------------------------------------------------------- */

struct scope_entry *scope_entry_of(PyObject *capsule)
{
    if (capsule == NULL || Py_TYPE(capsule) != state.capsule_type)
        return NULL;
    return PyCapsule_GetPointer(capsule, CAPSULE_NAME);
}

static void release_entry(PyObject *capsule)
{
    struct scope_entry *entry = PyCapsule_GetPointer(capsule, CAPSULE_NAME);

    scope_release(entry->scope);
    Py_XDECREF(entry->data);
    Py_XDECREF(entry->chain);
    free(entry->refused);
    free(entry);
}

PyObject *scope_entry_new(struct scope *scope)
{
    struct scope_entry *entry;
    PyObject *capsule;

    if (tools_freeze() < 0) /* those that were allowed since the last entry */
        return NULL;
    entry = xcalloc(1, sizeof(*entry));
    capsule = PyCapsule_New(entry, CAPSULE_NAME, release_entry);
    if (capsule == NULL) {
        free(entry);
        return NULL;
    }
    scope_reference(scope);
    *entry = (struct scope_entry){.scope = scope,
                                  .data = py_own(scope->host.frozen_data),
                                  .frame = PyEval_GetFrame(),
                                  .chain = frame_view_chain(),
                                  .thread = compat_thread_ident()};
    return capsule;
}

int scope_set(PyObject *capsule, PyObject **ret_token)
{
    /* From 3.14 on whoever has a token takes back with it what it stands for, by a `with`. */
    *ret_token = py_hide(compat.context_var_set(state.variable, capsule));
    return *ret_token != NULL ? 0 : -1;
}

int scope_reset(PyObject *token)
{
    int status = compat.context_var_reset(state.variable, token);

    Py_DECREF(token);
    return status;
}

/* ---- asking --------------------------------------------------------------------------------- */

bool scope_is_variable(PyObject *object)
{
    return state.variable != NULL && object == state.variable;
}

PyObject *scope_capsule_of(PyObject *context)
{
    PyObject *value = NULL;

    if (state.variable == NULL)
        return NULL;
    if (context != NULL) {
        value = PyObject_GetItem(context, state.variable);
        if (value == NULL)
            PyErr_Clear(); /* the context does not have it */
    } else {
        compat.context_var_get(state.variable, NULL, &value);
    }
    return value;
}

const struct scope_entry *scope_entry_current(void)
{
    PyObject *value = NULL;

    if (state.alive == 0)
        return NULL;
    compat.context_var_get(state.variable, NULL, &value);
    if (value == NULL)
        return NULL;
    Py_DECREF(value); /* its context has it as well */
    return scope_entry_of(value);
}

void scope_note_refusal(const char *words, const char *reason, const char *remedy)
{
    struct scope_entry *entry = (struct scope_entry *)scope_entry_current();

    if (entry != NULL && entry->refused == NULL)
        entry->refused = verdict_sentence(words, reason, remedy);
}

bool scope_may_judge(void)
{
    return state.process_is_armed ? state.process_judges : state.alive > 0;
}

const struct scope *scope_current(void)
{
    const struct scope_entry *entry;

    if (callback_depth > 0 && callback_is_asking())
        return NULL; /* what the host's callback does, in the middle of a judgement, is the host's */
    if (state.process_is_armed)
        return state.process_judges ? &state.process : NULL;
    if (state.alive == 0)
        return NULL;
    entry = scope_entry_current();
    if (entry != NULL)
        return entry->scope;
    return state.marks > 0 ? caller_scope_on_stack() : NULL;
}
