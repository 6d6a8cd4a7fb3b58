/*
 * carry_handlers - what Python itself calls later, in the middle of anything: signal handlers, hooks of fork(), codecs
 *
 * As carry, for those that are handed over to the interpreter. A handler that the host had set is still the host's
 * when a cell puts it back. Only in host programs. Not for lists and classes in which Python looks for what to call
 * (gc.callbacks, sys.path_hooks, __del__): they are the program's (docs/host.md).
 */
#pragma once

/* Patches the places. 0, or -1 with an exception. Once. */
int carry_handlers_start(void);
