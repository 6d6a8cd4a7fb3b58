/*
 * rules - what user code may not say, judged on its AST before anything runs
 *
 * The rules explain early and by line; they are not the fence (the audit hook is): a name that is
 * reached in another way is refused later by what it does. Tree nodes are read by their exact type and
 * through their attributes only. Borrows everything.
 */
#pragma once

#include "guard/policy/policy.h"

#include <Python.h>

/*
 * rules_check() - apply the user-code rules to an ast.Module, ast.Expression or ast.Interactive
 *
 * Returns 0, or -1 with PermissionError set: which rule, which line, what to do instead.
 */
int rules_check(const struct policy *policy, PyObject *ast);

/* One refusal in words; all texts are borrowed. */
struct rule_refusal {
    const char *rule;    /* the policy key, or what stands in its place */
    const char *found;   /* "imports socket" */
    const char *words;   /* completes "safepyrun refused to …" */
    const char *reason;
    const char *remedy;
    const char *message; /* all of it */
};
/* Called with the GIL before the exception is set; must not run Python code. */
void rules_set_refusal_callback(void (*function)(const struct rule_refusal *refusal));
