/*
 * snapshot_parts - what a snapshot is made of
 *
 * For snapshot.c and snapshot_names.c, which make it, and snapshot_compare.c; what others may ask
 * is in snapshot.h. The snapshot owns all references.
 */
#pragma once

#include "guard/audit/snapshot.h"

enum entry_kind {
    ENTRY_IS,       /* container[key] is `value` */
    ENTRY_EQUALS,   /* container[key] has the values of the mirror `value` */
    ENTRY_ABSENT,   /* container has no such key */
    ENTRY_KEYS,     /* no callable was added to the class whose namespace `container` is */
    ENTRY_FUNCTION, /* code and defaults of the function `container`: tuple in `value` */
    ENTRY_CELL,     /* the cell `container` holds what the mirror `value` says */
    ENTRY_NAMES,    /* no key of the dict `container` can say itself what it is equal to */
    ENTRY_WAY,      /* the object `container` has the class, the __dict__ and the way to it in `value`, a tuple */
    ENTRY_OBJECT,   /* the same, and its class answers for none of the names in the __dict__ */
};

struct entry {
    enum entry_kind kind;
    PyObject *container;
    PyObject *key; /* exact str, or NULL */
    PyObject *value;
};

/* How far code of libraries is followed from the function's own module. */
#define LEVEL_MAX 6

/* What is still to be followed, on one level: its code or namespace. Borrowed: an entry keeps it alive. */
struct waiting {
    PyObject **objects;
    size_t count;
    size_t room;
};

struct snapshot {
    PyObject *function;
    PyObject *may_change;
    struct entry *entries;
    size_t count;
    size_t room;
    struct waiting queues[LEVEL_MAX + 1]; /* while it is made */
    PyObject *met;            /* set of addresses: what was followed */
    PyObject *plain;          /* see snapshot_new() */
    bool uses_patterns;       /* functions of re are among what it calls */
    PyObject *namespace_type; /* types.SimpleNamespace */
};

/* All return 0, or -1 with an exception set. */

int snapshot_add_entry(struct snapshot *snapshot, enum entry_kind kind, PyObject *container,
                       PyObject *key, PyObject *value);
/* `container[key]` that can be called: itself, and what it hands on to. */
int snapshot_add_callable(struct snapshot *snapshot, PyObject *container, PyObject *key, PyObject *value);
/* A function or a class, once. */
int snapshot_follow(struct snapshot *snapshot, PyObject *object, unsigned level);
/* The class of an object, where it can be changed. */
int snapshot_follow_class_of(struct snapshot *snapshot, PyObject *object);

/* `container[key]`, a value that code can name; own: it is in the function's own module. */
int snapshot_add_value(struct snapshot *snapshot, PyObject *container, PyObject *key,
                       PyObject *value, bool own, unsigned level);
/* What an object holds that is there to be looked at, and its class. name: for messages, or NULL; dict: its __dict__. */
int snapshot_add_settings(struct snapshot *snapshot, PyObject *object, PyObject *name, PyObject *dict);
/* Everything that the code of a function names, and what it closes over. */
int snapshot_add_names(struct snapshot *snapshot, PyObject *function, unsigned level);
int snapshot_add_cells(struct snapshot *snapshot, PyObject *function, unsigned level);

/* __name__ of the function's own module: borrowed; NULL for none. */
PyObject *snapshot_own_name(const struct snapshot *snapshot);
