/*
 * streams - sys.stdout and sys.stderr of the cells
 *
 * Text is gathered in one buffer of 32 KB, labelled with its stream and its cell, and sent as a
 * frame when the buffer is full, when the label changes, before any other frame, at a flush, and 50
 * ms after it was written by a thread of our own, which sleeps while nothing is buffered. One
 * buffer for both streams keeps their order. Whoever writes waits (without the GIL) while the
 * kernel process takes no more: nothing is dropped. In a forked child the streams write to
 * descriptors 1 and 2.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

/* Puts the objects into sys and patches os.write(1 | 2, …). Returns 0 or -1 with an exception. */
int streams_start(void);

/* type: FRAME_STDOUT or FRAME_STDERR. Returns 0, or -1 with an exception of a signal handler. */
int streams_write(enum frame_type type, struct bytes text);

/* Posts what is buffered. Neither waits nor fails. */
void streams_flush(void);

/* streams_flush(), also of C's stdio: what native code printed goes to descriptor 1. */
void streams_flush_all(void);

/* Whether the thread that flushes after a pause exists. */
bool streams_has_timer(void);
