/*
 * queue - requests that wait for the guard, and the one that it works on
 *
 * The guard answers one request after the other; everything that needs it waits here in order.
 * Owns the requests in it. Not for requests that the kernel process answers by itself: those never
 * wait.
 */
#pragma once

#include "kernel/execution/request.h"

struct queue {
    struct request *first;
    struct request *last;
    struct request *running; /* with the guard; not in the list */
};

/* Of the shell that runs it: its subshell's, or the main one. */
struct queue *queue_of(const struct request *request);

/* Appends; TAKEN. */
void queue_push(struct queue *queue, struct request *request);

/* Before those that arrived later; TAKEN. */
void queue_insert(struct queue *queue, struct request *request);

/* Takes the first one out; NULL when there is none. */
struct request *queue_pop(struct queue *queue);

/* Takes this one out; it is in the list. */
void queue_remove(struct queue *queue, struct request *request);

/*
 * queue_abort_executes() - answer every waiting execute_request with status "aborted"
 *
 * Other requests stay: a frontend waits for them whatever became of a cell (messaging 5.6,
 * "Execution results"). Returns 0 or -errno.
 */
int queue_abort_executes(struct queue *queue);

/* The same, each when its turn comes: after the reply of the cell that runs, which an interrupt has just been sent to. */
void queue_cancel_executes(struct queue *queue);

/* Closes everything, running or waiting, with an error of this kind. Returns 0 or -errno. */
int queue_refuse_all(struct queue *queue, const char *ename, const char *evalue);
