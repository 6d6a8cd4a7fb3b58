/*
 * from_guard - what the guard sends becomes messages and replies
 *
 * Every frame is checked before it is believed: its cell number must have been given out, what
 * belongs to the running request must carry its number, and what goes on as content must be JSON.
 */
#pragma once

#include "guard/link/bytes.h"
#include "guard/link/frame.h"

#include <stdint.h>

struct kernel;

/* Lines that the guard had written to the log lately. */
struct guard_lines {
    int64_t since_ms;
    unsigned count;
};

/* A frame after READY. Returns 0 or -errno. */
int from_guard_frame(struct kernel *kernel, const struct frame *frame);

/* Bytes that were written to the guard's fd 1 or 2. Returns 0 or -errno. */
int from_guard_output(struct kernel *kernel, enum frame_type stream, struct bytes bytes);
