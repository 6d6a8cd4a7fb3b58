/*
 * hurry - completion and inspection do not hold the interpreter up
 *
 * Jedi reads the source of libraries, and inspection calls `__repr__` of the user's: either can take as long as it
 * likes, and cells wait behind it. What has not answered in time is interrupted, again and again, as a cell would be;
 * the guard then answers with what can be told at once. Native code takes no notice: then the person's own interrupt
 * is left (deaf). Part of the kernel.
 */
#pragma once

#include "kernel/loop.h"

struct kernel;

void hurry_init(struct kernel *kernel);

/* A request has gone to the guard. */
void hurry_begin(struct kernel *kernel);
