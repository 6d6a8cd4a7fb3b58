/*
 * facts - what the arguments of an event say, read without running any Python code
 *
 * Only str, bytes and int (and what derives from them, by their C storage) are read; of any other
 * object nothing is asked, not even its type's name: the path is marked odd and the policy decides.
 * Not for decisions. `struct facts_owner` owns what the facts point into.
 */
#pragma once

#include "guard/audit/events.h"

#include "guard/python/py_cleanup.h"

struct facts_owner {
    PyObject *encoded[FACTS_PATHS + 1]; /* paths, then the name */
    PyObject *command;                  /* what a list held that its owner may change */
};
#define FACTS_OWNER_NONE ((struct facts_owner){{NULL, NULL, NULL}, NULL})

/* How many positional arguments there are and where: a tuple's items or a vector. */
struct facts_source {
    PyObject *const *items; /* NULL: `tuple` holds them */
    PyObject *tuple;        /* NULL: no arguments */
    Py_ssize_t count;
};

/* Fills all but `event` and `caller`. Leaves no exception set. */
void facts_read(const struct arguments *where, const struct facts_source *source,
                struct facts_owner *owner, struct facts *ret_facts);
void facts_owner_finish(struct facts_owner *owner);
#define cleanup_facts cleanup_with(facts_owner_finish)
