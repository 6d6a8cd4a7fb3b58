/*
 * runtime_folder - a folder that is this user's alone, for as long as the machine runs
 *
 * $XDG_RUNTIME_DIR/safepyrun, or /tmp/safepyrun-UID where there is no such directory. The sockets of templates
 * lie there and what kernels note for each other. It is made by every kernel, so that each session's
 * policy can keep its cells out of it: who reaches such a socket gets a Python without a guard.
 */
#pragma once

/* A new string; NULL when there is none that only this user can enter: then nothing is shared. */
char *runtime_folder(void);
