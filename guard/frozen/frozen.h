/*
 * frozen - copies of the guard process that wait, to take over when it dies
 *
 * Between two requests the kernel process asks for a copy (FREEZE); the guard forks. The copy has a link
 * of its own, lets go of what the living process shares with others (pipes, sockets, locks), and waits
 * without running anything, until THAW makes it the guard or its link ends and it with it. The
 * process that forked goes on with its pid, its threads and its descriptors.
 *
 * Where a copy could not be right there is none, and the kernel process is told why: other threads
 * would be missing in it, and locks that they hold would be held for ever.
 */
#pragma once

#include "guard/link/frame.h"

/* First of all: how many threads are left is counted after all other fork handlers have run. */
int frozen_start(int link_fd);

/* The two functions in Python, before the first cell. Returns 0 or -1 with an exception. */
int frozen_load(void);

/* A descriptor that copies go on using: one that several processes may share. -1: nothing. */
void frozen_keep(int fd);

/* Handles FRAME_FREEZE. Returns once in this process, and, when it is thawed, in the copy. */
void frozen_freeze(const struct frame *frame);

/* Handles FRAME_THAW: this process is the guard from now on. */
void frozen_thaw(const struct frame *frame);
