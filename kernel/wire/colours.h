/*
 * colours - text that was made for a terminal, for readers that are none
 *
 * Takes out the control sequences (ECMA-48, "CSI") with which tracebacks are coloured, and nothing else.
 */
#pragma once

#include "guard/link/buffer.h"

void colours_strip(struct bytes text, struct buffer *plain);
