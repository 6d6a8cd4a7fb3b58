/*
 * events - the table of audit events, and how a name finds its row
 *
 * Names are compared by content: sys.audit() hands over a string's own memory, whose address is used
 * again for another name. Not for what the rows decide. The table is constant; events_init() builds the
 * index once.
 */
#pragma once

#include "guard/policy/verdict.h"

#include <Python.h>

#include <stddef.h>

enum asks {
    ASKS_NOBODY,    /* the decision does not depend on whose code asks */
    ASKS_INNERMOST, /* the innermost Python frame decides: one frame is looked at */
    ASKS_STACK,     /* frames are walked until one decides */
};

/* Where in the arguments something is: the position + 1, so that 0 means nowhere. */
struct arguments {
    enum asks asks;
    unsigned char path[FACTS_PATHS];
    unsigned char dir_fd[FACTS_PATHS];
    unsigned char keeps_last_link; /* bit i: path i is not followed in its last component */
    unsigned char may_be_missing;  /* bit i: a call without path i asks for nothing there */
    unsigned char number;
    unsigned char value; /* what the system is given: a number, or memory of the object's own */
    unsigned char name;
    bool names_program; /* the name is a command: text, or a list whose first member is the program */
};

struct event_row {
    const char *name;
    bool is_prefix;
    verdict_function *check;
    struct arguments arguments;
    const char *words;
    /* What follows when it is allowed, if there is a first argument. 0, or -1: exception set. */
    int (*on_allowed)(PyObject *args);
};

/* Shorthands of events.def and interpose.def. */
/* clang-format off */
#define NOTHING                   {.asks = ASKS_NOBODY}
#define INNERMOST                 {.asks = ASKS_INNERMOST}
#define STACK                     {.asks = ASKS_STACK}
#define PATH_AT(p)                {.path = {(p) + 1}}
#define STACK_PATH_AT(p)          {.asks = ASKS_STACK, .path = {(p) + 1}}
#define PATHS_IF_ANY(p, q)        {.path = {(p) + 1, (q) + 1}, .may_be_missing = 3}
#define PATH_IN(p, d)             {.path = {(p) + 1}, .dir_fd = {(d) + 1}}
#define LINK_AT(p, d)             {.path = {(p) + 1}, .dir_fd = {(d) + 1}, .keeps_last_link = 1}
/* Whether the last link is followed is another argument of the call, which its event leaves out: both are asked about. */
#define PATH_AND_LINK_IN(p, d)    {.path = {(p) + 1, (p) + 1}, .dir_fd = {(d) + 1, (d) + 1}, .keeps_last_link = 2}
#define PATH_AND_LINK_AT(p)       {.path = {(p) + 1, (p) + 1}, .keeps_last_link = 2}
#define LINKS_AT(p, d, q, e)      {.path = {(p) + 1, (q) + 1}, .dir_fd = {(d) + 1, (e) + 1}, .keeps_last_link = 3}
#define SOURCE_AND_LINK(p, d, q, e) {.path = {(p) + 1, (q) + 1}, .dir_fd = {(d) + 1, (e) + 1}, .keeps_last_link = 2}
#define OPEN_ARGS                 {.path = {1}, .name = 2, .number = 3}
#define IMPORT_ARGS               {.asks = ASKS_INNERMOST, .name = 1, .path = {2}}
#define NAME_AT(n)                {.asks = ASKS_INNERMOST, .name = (n) + 1}
#define PROGRAM_AT(n)             {.name = (n) + 1, .names_program = true}
#define NAME_ONLY(n)              {.name = (n) + 1}
#define NAME_AND_PATH(n, p)       {.name = (n) + 1, .path = {(p) + 1}}
#define STACK_LIBRARY_SYMBOL_AND_SHAPE {.asks = ASKS_STACK, .path = {1}, .name = 2, .number = 3}
#define FD_NUMBER_AND_VALUE       {.path = {1}, .number = 2, .value = 3}
#define OPEN_AT_ARGS              {.path = {1}, .dir_fd = {4}, .number = 2}
#define NUMBER_AT(n)              {.number = (n) + 1}
#define INNERMOST_NUMBER_AT(n)    {.asks = ASKS_INNERMOST, .number = (n) + 1}
#define SOCKET_ARGS               {.asks = ASKS_INNERMOST, .number = 2}
/* clang-format on */

void events_init(void);

/* The row of an event; NULL when there is none: deny. */
const struct event_row *events_find(const char *event);

/* All rows, for tests. */
const struct event_row *events_all(size_t *ret_count);
