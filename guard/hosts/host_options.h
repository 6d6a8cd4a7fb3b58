/*
 * host_options - what a host program asks for, as a policy and a scope
 *
 * The Python face (glue/safepyrun/_runpython.py, _audit.py) gives a dict of plain values; here it becomes
 * C. Not for kernels: those have policy files. The caller owns what it gets.
 */
#pragma once

#include "guard/audit/audit.h"

/*
 * host_options_scope() - a new scope
 *
 * options  a dict: "ok_dests", "ban_imports", "own_folder", "deny_read", "import_allow", "safe_native" (None or sequences of str),
 *          "ban_defs", "monitors", "judges_host_code" (bool), "before_deny" (see _deny.asking()), "on_call" (callable or None),
 *          "monitor_hooks" (None or a tuple of callables),
 *          "data", "tool_id" (int, of sys.monitoring)
 *
 * Refused where a scope is in force already: what is guarded makes no guards. One reference, or NULL with
 * an exception set.
 */
struct scope *host_options_scope(PyObject *options);

/* Puts the data of the next entry in place. The same refusal as above. 0 or -1. */
int host_options_set_data(struct scope *scope, PyObject *data);
/* Adds names of modules (a sequence of str) to import_allow. The same refusal. 0 or -1. */
int host_options_add_imports(struct scope *scope, PyObject *names);

/* 0 where no scope is in force, or this one and `allows_same`; else -1 with PermissionError. */
int host_options_refuse_inside(const struct scope *allows_same, const char *event, const char *words);
