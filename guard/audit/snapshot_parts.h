/*
 * snapshot_parts - what a snapshot is made of
 *
 * For snapshot.c, which makes it, and snapshot_compare.c; what others may ask is in snapshot.h. The snapshot
 * owns all references.
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
};

struct entry {
    enum entry_kind kind;
    PyObject *container;
    PyObject *key;   /* exact str, or NULL */
    PyObject *value;
};

/* Something whose code or namespace is still to be followed. */
struct waiting {
    PyObject *object; /* borrowed: an entry keeps it alive */
    unsigned level;
};

struct snapshot {
    PyObject *function;
    PyObject *may_change;
    struct entry *entries;
    size_t count;
    size_t room;
    struct waiting *queue; /* while it is made */
    size_t queued;
    size_t queue_room;
    PyObject *met; /* set of addresses: what is or was in the queue */
    PyObject *types[5];
};
