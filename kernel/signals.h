/*
 * signals - SIGINT, SIGTERM and SIGHUP as a source of the loop
 *
 * What they mean is the callers'. SIGPIPE is ignored: an end that is gone is told by the write.
 */
#pragma once

#include "kernel/loop.h"

/* Before any thread starts, which would get them otherwise. */
void signals_block(void);

/* Blocks them and adds the source, whose descriptor is to be closed. */
void signals_watch(struct loop *loop, struct loop_source *source, loop_callback callback, void *context);

/* In the callback: which one it is; 0 for none. */
int signals_read(const struct loop_source *source);
