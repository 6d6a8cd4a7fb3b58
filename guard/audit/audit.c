#include "guard/audit/audit.h"

#include "guard/audit/caller.h"
#include "guard/audit/carry.h"
#include "guard/audit/hook.h"
#include "guard/audit/interpose.h"
#include "guard/audit/move_words.h"
#include "guard/audit/python_folders.h"
#include "guard/audit/scope.h"
#include "guard/audit/tools.h"
#include "guard/audit/trace_guard.h"
#include "guard/python/py_cleanup.h"

#include <string.h>

int audit_install(void)
{
    return hook_install();
}

/* What a policy must know of this Python before it is sealed. */
static int complete(struct policy *policy)
{
    if (!policy->sealed && python_folders_protect(policy) < 0)
        return -1;
    if (policy->guards_reads)
        python_folders_add(policy);
    policy_seal(policy);
    return 0;
}

/* The hook must see an event that we raise ourselves: a guard that is not there must not look armed. */
static int prove(void)
{
    PyObject *audit = PySys_GetObject("audit");
    cleanup_py PyObject *result = NULL;

    if (audit == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "sys.audit is missing");
        return -1;
    }
    result = PyObject_CallFunction(audit, "s", HOOK_PROOF);
    if (result == NULL)
        return -1;
    if (hook_was_proved())
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "the audit hook does not see events");
    return -1;
}

int audit_arm(struct policy *policy, int link_fd)
{
    if (scope_is_process_armed() || scope_may_judge()) {
        policy_free(policy);
        PyErr_SetString(PyExc_RuntimeError, "the guard is armed already");
        return -1;
    }
    if (complete(policy) < 0) {
        policy_free(policy);
        return -1;
    }
    if (policy->write_roots != NULL)
        write_roots_stay(policy->write_roots);
    if (policy->read_allowed != NULL)
        write_roots_stay(policy->read_allowed);
    if (caller_init() < 0 || interpose_init() < 0 || move_words_init() < 0)
        return -1; /* the policy is kept: code objects and patches may already refer to it */
    if (tools_freeze() < 0)
        return -1;
    hook_set_link(link_fd);
    scope_arm_process(policy);
    return prove();
}

/* All of it once, at the first guard that the host program makes. */
static int start_in_host(void)
{
    static bool started;

    if (scope_is_process_armed()) {
        PyErr_SetString(PyExc_RuntimeError, "this process is a guard itself: all that runs in it is guarded");
        return -1;
    }
    if (started)
        return 0;
    if (hook_install() < 0) {
        PyErr_SetString(PyExc_RuntimeError, "the audit hook cannot be installed in this Python");
        return -1;
    }
    if (scope_start() < 0 || caller_init() < 0 || interpose_init() < 0 || carry_start() < 0 ||
        prove() < 0)
        return -1;
    interpose_load();
    started = true;
    return 0;
}

struct scope *audit_new_scope(struct policy *policy)
{
    if (start_in_host() < 0 || complete(policy) < 0) {
        policy_free(policy);
        return NULL;
    }
    caller_find_executor();
    return scope_new(policy);
}

const struct policy *audit_policy(void)
{
    return scope_process_policy();
}

int audit_register_user_code(PyObject *code)
{
    return caller_mark_user(NULL, code);
}

bool audit_is_user_code(PyObject *code)
{
    return caller_is_marked_user(code);
}

void audit_begin_host_work(void)
{
    caller_begin_host_work();
}

void audit_begin_compiling(void)
{
    caller_begin_compiling();
}

void audit_end_host_work(void)
{
    caller_end_host_work();
}

void audit_load_modules(void)
{
    interpose_load();
}

void audit_end_tracing(void)
{
    trace_guard_end_request();
}
