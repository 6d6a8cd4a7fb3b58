/*
 * filter_checks - system calls that depend on their arguments
 *
 * Only what stands in registers can be asked; what a pointer leads to another thread could change
 * after the question. Private to filter.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum check_kind {
    CHECK_END,
    CHECK_ZERO,    /* all 64 bits */
    CHECK_ONE_OF,  /* of the lower 32 bits, those in `mask` are one of `values` */
    CHECK_NOT,     /* … are not `values[0]` */
    CHECK_IF,      /* … are `values[0]` only when the lower half of the next argument is `values[1]` */
};

struct filter_check {
    enum check_kind kind;
    unsigned argument;
    uint32_t mask;
    const uint32_t *values;
    size_t count;
};

enum filter_class {
    FILTER_CLASS_ALLOW,
    FILTER_CLASS_DENY,
    FILTER_CLASS_ABSENT,
    FILTER_CLASS_SIGNAL,
    FILTER_CLASS_METADATA,
    FILTER_CLASS_CUT,
    FILTER_CLASS_SOCKET,
    FILTER_CLASS_CONNECT,
    FILTER_CLASS_ALLOCATE,
    FILTER_CLASS_CHECK_OPEN,
    FILTER_CLASS_CHECK_OPENAT,
    FILTER_CLASS_CHECK_IOCTL,
    FILTER_CLASS_CHECK_FCNTL,
    FILTER_CLASS_CHECK_PRLIMIT,
    FILTER_CLASS_CHECK_OWN,
    FILTER_CLASS_CHECK_OWN_KIND,
    FILTER_CLASS_CHECK_PRCTL,
    FILTER_CLASS_CHECK_PERSONALITY,
    FILTER_CLASS_CHECK_CLONE,
    FILTER_CLASS_CHECK_SOCKETPAIR,
    FILTER_CLASS_CHECK_SETSOCKOPT,
    FILTER_CLASS_CHECK_SENDTO,
    FILTER_CLASS_CHECK_SENDMSG,
    FILTER_CLASS_CHECK_SENDMMSG,
    FILTER_CLASS_COUNT,
};

/* All must hold, else EPERM; ends with CHECK_END. NULL for a class without checks. */
const struct filter_check *filter_checks_of(enum filter_class class);
