/*
 * deadline - an end to code that takes too long to say what a value looks like
 *
 * A timer of this process sends a signal whose handler does what an interrupt does: KeyboardInterrupt in
 * the main thread. Asking by SIGINT from the kernel process could hit a moment too late, and the cell
 * instead. Native code that never looks at signals is not ended by this. Main thread only, not nested.
 */
#pragma once

#include <stdbool.h>

/* From here on time runs; false: there is no timer. */
bool deadline_begin(long milliseconds);

/* Returns whether the time was over. The KeyboardInterrupt that it has raised may still be set. */
bool deadline_end(void);
