/*
 * outputs - what cells print and show, on its way to iopub
 *
 * Streams are collected and published in few messages: at once after a pause, then at most every
 * 50 ms or 128 KB, and always before anything else, so that order holds. Servers and browsers
 * give up on a flood of small messages; nobody waits longer than that for a line. Bytes that are
 * no UTF-8 become U+FFFD, also when a character was cut in two on the way.
 */
#pragma once

#include "guard/link/utf8.h"
#include "kernel/channels/channels.h"
#include "kernel/execution/cells.h"
#include "kernel/execution/output_cap.h"

enum stream { STREAM_STDOUT, STREAM_STDERR, STREAM_COUNT };

struct outputs {
    struct loop *loop;
    struct channels *channels;
    struct cells *cells;
    struct output_cap cap;
    struct utf8_decoder decoders[STREAM_COUNT];
    uint32_t decoded[STREAM_COUNT]; /* whose bytes each one has seen last */
    struct buffer text;  /* of `stream` and `cell`: the content of a message, but for its end */
    enum stream stream;
    uint32_t cell;
    int64_t published_ms; /* when a stream was published last */
    struct loop_timer timer;
};

void outputs_init(struct outputs *outputs, struct loop *loop, struct channels *channels,
                  struct cells *cells);
void outputs_finish(struct outputs *outputs);

/* Takes what a cell wrote. Returns 0 or -errno. */
int outputs_write(struct outputs *outputs, enum stream stream, uint32_t cell, struct bytes bytes);

/*
 * outputs_turn() - what max_output_kb has kept back is published now, after a word on what is left out
 *
 * When a cell begins, and when it is over. Returns 0 or -errno.
 */
int outputs_turn(struct outputs *outputs);

/* The cell is over: a character that it has left unfinished is none, nor the start of another cell's. Returns 0 or -errno. */
int outputs_end_cell(struct outputs *outputs, uint32_t cell);

/* Publishes the text that was collected. Returns 0 or -errno. */
int outputs_flush(struct outputs *outputs);

/* Publishes anything else for a cell, after the text before it. Silent cells publish nothing. */
int outputs_publish(struct outputs *outputs, uint32_t cell, const struct outgoing *outgoing);
