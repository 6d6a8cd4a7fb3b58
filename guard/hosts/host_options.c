#include "guard/hosts/host_options.h"

#include "guard/audit/denials.h"
#include "guard/audit/host_data.h"
#include "guard/audit/native_calls.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int host_options_refuse_inside(const struct scope *allows_same, const char *event, const char *words)
{
    struct denial denial = {.rule = "interpreter ring",
                            .remedy = "do it in the host program, outside of the guard"};
    const struct scope *scope = scope_current();

    if (scope == NULL || scope == allows_same)
        return 0;
    snprintf(denial.reason, sizeof(denial.reason), "guarded code does not change its guard");
    return denials_raise(event, words, &denial);
}

/* ---- values --------------------------------------------------------------------------------- */

static bool is_given(PyObject *value)
{
    return value != NULL && value != Py_None;
}

/* A sequence of str as a list of the policy. 0 or -1 with an exception. */
static int read_strings(PyObject *value, const char *name, struct string_list *ret_list)
{
    cleanup_py PyObject *sequence = NULL;

    if (!is_given(value))
        return 0;
    if (PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s is a list of texts, not one text", name);
        return -1;
    }
    sequence = PySequence_Tuple(value);
    for (Py_ssize_t i = 0; sequence != NULL && i < PyTuple_Size(sequence); i++) {
        cleanup_py PyObject *bytes = NULL;
        PyObject *item = PyTuple_GetItem(sequence, i);

        if (PyUnicode_FSConverter(item, &bytes) == 0)
            return -1;
        string_list_add(ret_list, PyBytes_AsString(bytes));
    }
    return sequence != NULL ? 0 : -1;
}

static int set_list(struct policy *policy, const char *key, PyObject *value)
{
    struct string_list list = {NULL, 0};
    int outcome;

    if (strcmp(key, "deny_read") == 0)
        string_list_add(&list, "!*"); /* in a program the whole list is meant */
    outcome = read_strings(value, key, &list);
    if (outcome == 0 &&
        policy_set(policy, key,
                   &(struct policy_value){.type = POLICY_STRINGS,
                                          .strings = (const char *const *)list.items,
                                          .count = list.count}) != 0) {
        PyErr_Format(PyExc_ValueError, "%s: an empty text is not possible here", key);
        outcome = -1;
    }
    string_list_finish(&list);
    return outcome;
}

/* None: writing is not guarded. */
static int set_ok_dests(struct policy *policy, PyObject *value)
{
    if (value != Py_None)
        return set_list(policy, "ok_dests", value);
    policy_set(policy, "ok_dests", &(struct policy_value){.type = POLICY_STRING, .string = "any"});
    return 0;
}

static bool is_true(PyObject *options, const char *name)
{
    return PyDict_GetItemString(options, name) == Py_True;
}

static struct policy *make_policy(PyObject *options)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    PyObject *deny_read = PyDict_GetItemString(options, "deny_read");
    struct string_list own = {NULL, 0};

    policy->of_program = true;
    policy_set(policy, "ban_defs",
               &(struct policy_value){.type = POLICY_BOOLEAN, .boolean = is_true(options, "ban_defs")});
    if (set_ok_dests(policy, PyDict_GetItemString(options, "ok_dests")) < 0 ||
        set_list(policy, "ban_imports", PyDict_GetItemString(options, "ban_imports")) < 0)
        return NULL;
    /* The package's own Python files are a library's, wherever they are. */
    if (read_strings(PyDict_GetItemString(options, "own_folder"), "own_folder", &own) < 0)
        return NULL;
    for (size_t i = 0; i < own.count; i++)
        policy_add_read_only(policy, own.items[i]);
    string_list_finish(&own);
    if (is_given(deny_read) && set_list(policy, "deny_read", deny_read) < 0)
        return NULL;
    return steal(policy);
}

/* ---- data ----------------------------------------------------------------------------------- */

int host_options_set_data(struct scope *scope, PyObject *data)
{
    PyObject *old = scope->host.frozen_data;
    PyObject *frozen;

    if (host_options_refuse_inside(NULL, "safepyrun.set_data", "change the data of its guard") < 0)
        return -1;
    frozen = is_given(data) ? host_data_copy(data, true) : py_own(Py_None);
    if (frozen == NULL)
        return -1;
    scope->host.frozen_data = frozen;
    Py_XDECREF(old);
    return 0;
}

int host_options_add_imports(struct scope *scope, PyObject *names)
{
    if (host_options_refuse_inside(NULL, "safepyrun.add_imports", "change what its guard lets be imported") < 0)
        return -1;
    return read_strings(names, "import_allow", &scope->import_allow);
}

/* ---- the scope ------------------------------------------------------------------------------ */

static int set_callable(PyObject *options, const char *name, PyObject **ret_callable)
{
    PyObject *value = PyDict_GetItemString(options, name);

    if (!is_given(value))
        return 0;
    if (!PyCallable_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s is a function", name);
        return -1;
    }
    *ret_callable = py_own(value);
    return 0;
}

/* A tuple of callables. */
static int set_monitor_hooks(PyObject *options, struct scope_host *host)
{
    PyObject *value = PyDict_GetItemString(options, "monitor_hooks");

    if (!is_given(value))
        return 0;
    for (Py_ssize_t i = 0; PyTuple_CheckExact(value) && i < PyTuple_Size(value); i++)
        if (!PyCallable_Check(PyTuple_GetItem(value, i)))
            value = Py_None;
    if (!PyTuple_CheckExact(value)) {
        PyErr_SetString(PyExc_TypeError, "monitor_hooks is a tuple of functions");
        return -1;
    }
    host->monitor_hooks = PyTuple_Size(value) > 0 ? py_own(value) : NULL;
    return 0;
}

/* (callback, number of arguments, is it pre_deny, the sixth argument, the class DenyInfo), or None. */
static int set_before_deny(PyObject *options, struct scope_host *host)
{
    PyObject *value = PyDict_GetItemString(options, "before_deny");
    int is_pre;

    if (!is_given(value))
        return 0;
    if (!PyTuple_CheckExact(value) ||
        !PyArg_ParseTuple(value, "OipOO", &host->before_deny, &host->deny_form, &is_pre,
                          &host->deny_sixth, &host->deny_info) ||
        !PyCallable_Check(host->before_deny)) {
        host->before_deny = host->deny_sixth = host->deny_info = NULL;
        PyErr_SetString(PyExc_TypeError, "before_deny is a function");
        return -1;
    }
    host->is_pre_deny = is_pre;
    py_own(host->before_deny);
    py_own(host->deny_sixth);
    py_own(host->deny_info);
    return 0;
}

static int start_monitoring(PyObject *options)
{
    PyObject *tool_id = PyDict_GetItemString(options, "tool_id");
    long number = tool_id != NULL ? PyLong_AsLong(tool_id) : 3;

    if (number == -1 && PyErr_Occurred())
        return -1;
    return native_calls_start(number >= 0 && number <= INT_MAX ? (int)number : -1);
}

struct scope *host_options_scope(PyObject *options)
{
    cleanup_scope struct scope *scope = NULL;
    struct policy *policy;

    if (host_options_refuse_inside(NULL, "safepyrun.guard", "make a guard of its own") < 0 ||
        (is_true(options, "monitors") && start_monitoring(options) < 0))
        return NULL;
    policy = make_policy(options);
    if (policy == NULL)
        return NULL;
    scope = audit_new_scope(policy);
    if (scope == NULL || set_before_deny(options, &scope->host) < 0 ||
        set_callable(options, "on_call", &scope->host.on_call) < 0 ||
        set_monitor_hooks(options, &scope->host) < 0 ||
        read_strings(PyDict_GetItemString(options, "import_allow"), "import_allow",
                     &scope->import_allow) < 0 ||
        read_strings(PyDict_GetItemString(options, "safe_native"), "safe_native",
                     &scope->safe_native) < 0 ||
        host_options_set_data(scope, PyDict_GetItemString(options, "data")) < 0)
        return NULL;
    scope->judges_host_code = is_true(options, "judges_host_code");
    scope->monitors = is_true(options, "monitors");
    return steal(scope);
}
