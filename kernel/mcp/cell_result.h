/*
 * cell_result - what a cell published, as the result of a tool call
 *
 * Collects text, images, refusals and the error in the order in which they came, and composes content
 * blocks for the model and structured content for programs. Owns what it collects. Not for sending.
 */
#pragma once

#include "guard/link/buffer.h"
#include "kernel/wire/message.h"

#include <jansson.h>

struct cell_result {
    json_t *blocks;      /* content blocks so far */
    struct buffer text;  /* of the block that is being written */
    struct buffer streams[2]; /* stdout, stderr */
    json_t *refusals;    /* cards */
    json_t *error;       /* {"name", "message"}, or NULL */
    char *result;        /* text of the last expression */
};

void cell_result_init(struct cell_result *result);
void cell_result_finish(struct cell_result *result);

/* A message of the cell on iopub. Returns the bytes of new text in it, a view into `text`. */
struct bytes cell_result_take(struct cell_result *result, const struct message *message);

/* The CallToolResult for an execute_reply; empties `result`. A new object. */
json_t *cell_result_compose(struct cell_result *result, const struct message *reply);
