/*
 * errand - the cell's side of a command that the kernel process runs after a person's yes
 *
 * Under on_deny = "ask" what IPython would give to a shell goes to the kernel process as text. This
 * thread waits, with the GIL let go: nothing here can change any more what was asked. A "no" is a
 * refusal like any other, on record. Only on the main thread of the main shell's running cell. Not for
 * how the question is put and the command run: kernel/execution/errand.
 */
#pragma once

#include <Python.h>

/* Adds asks_for_errands() and run_errand() to safepyrun._guard. Returns 0 or -1 with an exception. */
int errand_start(void);
