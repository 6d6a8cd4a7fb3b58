/*
 * descriptors - nothing that was inherited stays open but what the guard was given
 *
 * A launcher leaves terminals, sockets and folders open by accident; through an open folder a cell
 * would reach what no path leads to. At the start, before anything of ours or of Python's is open.
 */
#pragma once

/* Closes all but 0, 1, 2, `link_fd` and what the kernel process put behind it. */
void descriptors_close_inherited(int link_fd);

/* In a new view of the file system: what leads to /dev/null leads to the one that is seen now, whose mode and times
   cannot be changed. */
void descriptors_renew_null(void);
