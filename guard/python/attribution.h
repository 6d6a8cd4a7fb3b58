/*
 * attribution - which cell is asking
 *
 * The number of the cell lives in a context variable: asyncio's tasks and callbacks inherit it from
 * the code that created them, and threads because their start is patched here. So output that comes
 * late, from a task or a thread, still lands on the cell that caused it. A context without the variable
 * (3.14 runs each threading.Thread in an empty one) says nothing: then it is the thread's. 0 means no cell.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

/* Makes the variable, in the thread that will run the main shell's requests. Returns 0 or -1 with an exception. */
int attribution_start(void);
/* Patches the starting of threads. Returns 0 or -1 with an exception. */
int attribution_patch_threads(void);

/* Cell of the calling context. Needs the GIL; leaves a pending exception alone. */
uint32_t attribution_cell(void);
/* Returns a token (new reference), or NULL with an exception. Only cells that have begun exist. */
PyObject *attribution_set(uint32_t cell);

/* The main shell, and the subshells that there may be: each runs one request at a time. */
enum { SHELLS_MAX = 17 };

/* Which shell's thread this is; 0 for the main one, and for threads that run no requests. */
unsigned attribution_shell(void);
void attribution_enter_shell(unsigned number);
/* Whether this thread runs the main shell's requests: signals are handled in it, and it may wait for frames. */
bool attribution_is_main_thread(void);

/* Around each request: its own number becomes the context's. Returns 0 or -1 with an exception. */
int attribution_begin_request(uint32_t cell);
void attribution_end_request(void);
/* The same for a question in another thread: what runs goes on running. */
int attribution_begin_aside(uint32_t cell);

/* The request that is being worked on; 0: none. */
uint32_t attribution_running_cell(void);
/* Which shell works on this request; -1: none. */
int attribution_find_shell(uint32_t cell);

/* Whether a subshell works on any. */
bool attribution_works_beside(void);

/* Whether the request that is being worked on is this one: some frames may name no other. */
bool attribution_is_running(uint32_t cell);
