/*
 * filter - the table of system calls as a program for seccomp
 *
 * Made by ourselves and not by libseccomp: for a table of this size that one takes 1.5 ms, of which
 * most is a program that asks for each call in turn; a sorted one is made and taken by Linux in a
 * tenth, and costs a call about ten comparisons. Nothing in it depends on a process id. Calls of
 * another architecture's numbering (32 bit, x32) end the process or do not exist.
 * Source: seccomp(2); Documentation/userspace-api/seccomp_filter.rst.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

enum filter_answer { FILTER_ALLOW, FILTER_DENY, FILTER_ASK };

/* What other parts of the ring hold decides about some classes of the table. */
struct filter_settings {
    enum filter_answer signals;  /* kill() and kin */
    enum filter_answer metadata; /* chmod() and kin */
    bool cuts;                   /* truncating by path is held elsewhere */
    bool allocates;              /* space for files without writing to them */
    bool network;                /* socket() asks, connect() says yes: proxy.h */
};

enum { FILTER_MAX = 2048 };

struct filter_program {
    struct sock_filter code[FILTER_MAX];
    size_t count;
};

/* Returns 0; -ENOSYS for a processor that this table does not know; -E2BIG. */
int filter_make(const struct filter_settings *settings, struct filter_program *ret_program);

/*
 * filter_load() - from now on, for all threads
 *
 * ret_listener  where the questions of FILTER_ASK are answered; -1 when nothing asks. May be NULL.
 *
 * Returns 0 or -errno.
 */
int filter_load(const struct filter_program *program, bool asks, int *ret_listener);
