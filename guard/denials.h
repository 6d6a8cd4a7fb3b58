/*
 * denials - every refusal of this session: on record here, and told to the kernel process
 *
 * Those of the audit hook and of the user-code rules, also when a library swallows the exception.
 * The newest DENIALS_KEPT are kept for %guard and for the card of a refusal; what counts is the
 * record of the kernel process, which no cell can reach. Recording needs no Python: it happens in
 * the hook.
 */
#pragma once

#include "guard/link/cleanup.h"

#include <stdint.h>
#include <time.h>

enum { DENIALS_KEPT = 200 };

/*
 * All texts are UTF-8, at most 1 KB each. Shared by reference: while somebody makes Python objects
 * of one, a finalizer may run, be refused, and push it out of the record. Needs the GIL.
 */
struct denial_record {
    unsigned references;
    uint32_t cell;        /* 0: no cell asked */
    long execution_count; /* 0: not known any more */
    time_t time;
    char *event;   /* audit event, built-in, or "cell" for the user-code rules */
    char *rule;    /* the policy key or "interpreter ring" */
    char *subject; /* path, name, line; or "" */
    char *what;    /* completes "safepyrun refused to …" */
    char *why;
    char *remedy;
    char *message; /* the text of the exception */
};

/* From now on each refusal is recorded and is a DENIAL frame of the cell that caused it. After
 * READY. */
void denials_start(void);

/* Tells how many refusals came too fast to be told one by one. Before each reply. */
void denials_settle(void);

/* How many since the start; those beyond the newest DENIALS_KEPT are forgotten. */
unsigned long denials_count(void);
/* Refusal `number`, from 0 on, as a reference for denial_record_unref(); NULL: forgotten or not
 * yet. */
struct denial_record *denials_get(unsigned long number);
/* The number of the oldest one that is kept. */
unsigned long denials_first(void);

void denial_record_unref(struct denial_record *record);
static inline void cleanup_denial_at(struct denial_record **record)
{
    denial_record_unref(*record);
}
#define cleanup_denial cleanup_with(cleanup_denial_at)
