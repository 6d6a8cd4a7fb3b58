/*
 * cell_result - what a cell published, as the result of a tool call
 *
 * Collects text, images, refusals and the error in the order in which they came, and composes content
 * blocks for the model and structured content for programs. Owns what it collects. Not for sending.
 *
 * Nobody reads before the end, so there is a bound where a notebook has none: a cell that prints for ever would
 * fill the memory of this process. What comes later is counted, and told.
 */
#pragma once

#include "guard/link/buffer.h"
#include "kernel/wire/message.h"

#include <jansson.h>

enum { CELL_RESULT_BYTES_MAX = 8 * 1024 * 1024 }; /* all together, each as often as it is told; an error has its own megabyte */

struct cell_result {
    json_t *blocks;      /* content blocks so far */
    size_t blocks_bytes; /* text and pictures in them */
    struct buffer text;  /* of the block that is being written */
    struct buffer streams[2]; /* stdout, stderr */
    json_t *refusals;    /* cards */
    size_t refusals_bytes; /* clearing the output takes none of them back */
    json_t *error;       /* {"name", "message"}, or NULL */
    char *result;        /* text of the last expression, which is in the blocks as well */
    size_t result_bytes;
    uint64_t left_out;   /* bytes of messages, and of an error, for which there was no room */
};

void cell_result_init(struct cell_result *result);
void cell_result_finish(struct cell_result *result);

/* A message of the cell on iopub. Returns the bytes of new text in it, a view into `text`. */
struct bytes cell_result_take(struct cell_result *result, const struct message *message);

/* The CallToolResult for an execute_reply; empties `result`. A new object. */
json_t *cell_result_compose(struct cell_result *result, const struct message *reply);
