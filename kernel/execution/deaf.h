/*
 * deaf - a cell whose native code takes no notice of an interrupt
 *
 * Python raises KeyboardInterrupt between two of its own instructions; `sum(range(10**10))`, a decomposition in
 * LAPACK or a query in a database are one instruction and may take for ever. The guard says when Python has met
 * an interrupt. When it has not for a second, the person is told; another interrupt then ends the guard,
 * and a frozen copy takes over with the variables from before the cell. Without a copy nothing is ended:
 * waiting is better than losing the session. Part of the kernel.
 */
#pragma once

#include "guard/link/frame.h"
#include "kernel/loop.h"

struct kernel;

struct deaf {
    uint32_t cell; /* whose interrupt Python has not met yet; 0: none */
    int64_t since_ms;
    struct loop_timer timer;
};

void deaf_init(struct kernel *kernel);

/* An interrupt came for the running request. Returns true when it is now being ended: nothing else need be done. */
bool deaf_take_interrupt(struct kernel *kernel);

/* INTERRUPTED. Returns 0. */
int deaf_heard(struct kernel *kernel, const struct frame *frame);
