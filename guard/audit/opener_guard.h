/*
 * opener_guard - a file that an opener opens is not the kernel's own channel
 *
 * open(name, opener=f) takes the number that f returns, and no event tells which one. Files and descriptors that are named to open()
 * itself are judged by its event.
 */
#pragma once

/* Returns 0, or -1 with an exception set. */
int opener_guard_start(void);
