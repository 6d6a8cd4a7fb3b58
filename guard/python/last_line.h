/*
 * last_line - where the cell was, for the kernel process to tell
 *
 * faulthandler writes the stack of the main thread into a memory file that both processes share: when
 * the process dies of a signal, and when the kernel process asks with LAST_LINE_SIGNAL. That works
 * while the interpreter is held by native code. It is information, never a decision: a cell that
 * switches it off is ended all the same, and told less.
 */
#pragma once

/* link_fd names the place of the memory file. Without one nothing happens. Returns 0 or -1 with an exception. */
int last_line_start(int link_fd);
