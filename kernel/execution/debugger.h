/*
 * debugger - what a front end's debugger has set, and whether a cell stands still
 *
 * The kernel process owns the settings, sends them whole to whichever guard there is (a fresh one, a copy that
 * took over) and gives the guard one request at a time while a cell stands still; what cannot be answered
 * then is refused, never kept waiting. Where a cell stops is decided in the guard. One per kernel; it owns
 * the requests that wait here.
 */
#pragma once

#include "kernel/execution/request.h"

#include "guard/link/frame.h"

#include <jansson.h>

struct debugger {
    bool is_attached;
    bool is_stopped;          /* a cell stands still: the guard serves requests */
    json_t *breakpoints;      /* path -> as the front end sent them; NULL: none */
    json_t *filters;          /* of exceptions; NULL: none */
    struct request *asked;    /* with the guard, while a cell stands still */
    bool goes_on;             /* it is one after which the cell runs */
    unsigned long number;     /* of `asked` */
    struct request *first;    /* those behind it */
    struct buffer variables;  /* the answer to the last inspectVariables: while a cell runs it is what there is */
};

void debugger_finish(struct debugger *debugger);

/* What cells are called begins like this; their hash and DEBUGGER_SUFFIX follow. A new string. */
char *debugger_prefix(const struct kernel *kernel);
#define DEBUGGER_SUFFIX ".py"

/* Something was set, or the guard is another one. */
void debugger_send_settings(struct kernel *kernel);

/* To the cell that stands still, after those that wait. TAKES the request. Returns 0 or -errno. */
int debugger_ask(struct kernel *kernel, struct request *request);

/* To the cell that runs: stop where you are. */
void debugger_pause(struct kernel *kernel);

/* The guard's answer to a request that waited for its turn. */
void debugger_note_answer(struct kernel *kernel, const struct request *request,
                          const struct frame *frame);

/* The request that is with the guard has ended, or the guard has. Returns 0 or -errno. */
int debugger_end_request(struct kernel *kernel);

/* DEBUG_EVENT and DEBUG_REPLY. */
int debugger_take_event(struct kernel *kernel, const struct frame *frame);
int debugger_take_reply(struct kernel *kernel, const struct frame *frame);

/* An answer to a debug_request: DAP's response. TAKES the request; body may be empty. Returns 0 or -errno. */
int debugger_reply(struct request *request, struct bytes body);
int debugger_refuse(struct request *request, const char *message);

/* Whether its command is this one. */
bool debugger_is_command(const struct request *request, const char *command);

/* A debug_event on iopub, under the header of `request`; body is JSON. Returns 0 or -errno. */
int debugger_publish(struct kernel *kernel, const struct request *request, const char *event, const char *body);
