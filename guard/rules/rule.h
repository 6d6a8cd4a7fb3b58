/*
 * rule - what a single user-code rule is, and how it refuses
 *
 * A rule looks at one node of the tree and says no or nothing; rules.c walks. To add one: a file here
 * with its `struct rule`, and a line in the table of rules.c.
 */
#pragma once

#include "guard/policy/policy.h"

#include <Python.h>

/* One node, read without running anything: fields come from the instance's own dict. */
struct node {
    PyObject *object;     /* borrowed */
    const char *type;     /* "Import", "Name": of a type of the _ast module, by identity */
    PyObject *attributes; /* its __dict__, borrowed while the node is looked at */
};

struct rule {
    /* Returns 0, or -1 with PermissionError set by rule_refuse(). */
    int (*check)(const struct policy *policy, const struct node *node);
    const char *key; /* the policy key that it reads; "user-code rules" for what no key changes */
};

extern const struct rule allow_names_rule;
extern const struct rule allow_calls_rule;
extern const struct rule ban_imports_rule;
extern const struct rule ban_defs_rule;
extern const struct rule ban_names_rule;
extern const struct rule ban_builtins_rule;

/* A field, borrowed; NULL when it is not there. No exception. */
PyObject *node_field(const struct node *node, const char *name);
/* A field that is a str, borrowed UTF-8; NULL when it is absent or no str. No exception. */
const char *node_text(const struct node *node, const char *name);
bool node_is(const struct node *node, const char *type);

/*
 * rule_refuse() - PermissionError(EACCES) for a node: line, what was found, why, what to do instead
 *
 * Always returns -1.
 */
int rule_refuse(const struct node *node, const char *found, const char *reason, const char *remedy);
/* The same where another key than the rule's own says no. */
int rule_refuse_by(const char *key, const struct node *node, const char *found, const char *reason,
                   const char *remedy);
