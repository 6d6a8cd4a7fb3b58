/*
 * guard_death - the guard has ended while it should not
 *
 * Explains it to the request that ran, and sees to it that the session goes on where it can: with a
 * frozen copy; else, as the command line says, with a fresh guard or not at all. A limit that was
 * exceeded is no accident: after one there is always a guard.
 */
#pragma once

struct kernel;

/* After all that the guard had written was handled. Returns 0 or -errno. */
int guard_death_take(struct kernel *kernel);
