/*
 * keeper - the parent of one guard that was forked from a template
 *
 * A guard cannot be a child of its kernel process: that is no ancestor of the template. So the template
 * makes a keeper, which forks the guard, is the subreaper of all below it, tells the kernel process how they
 * ended, and ends them all when the connection ends.
 *
 * To copy the page tables of a warm interpreter takes milliseconds, so that is done once, for the guard: the keeper
 * begins in the template's own memory, by vfork(), and goes on as a program of its own (keeper_main.c) as soon as
 * it has forked. Until then the template stands still. It runs no Python, and sees nothing of what the
 * kernel process hands to the guard.
 */
#pragma once

enum { KEEPER_LINK_FD = 3 }; /* the link, in the guard; as kernel/supervisor/spawn has it */
enum { KEEPER_CONNECTION_FD = 3 }; /* in keeper_main.c */

struct keeper_news {
    const char *description; /* lines of text for TEMPLATE_STATUS */
    int template_pid;
    int program_fd; /* safepyrun-keeper */
};

/*
 * keeper_serve() - in the child that the template made by vfork(): read one request and do it
 *
 * connection  TAKEN
 *
 * Returns in the guard alone, forked and with its descriptors in place; the connection's number: what is
 * left to be read there is the environment, ret_environment_bytes of it. Writes nothing of the template's but
 * below its caller's frame.
 */
int keeper_serve(int connection, const struct keeper_news *news, unsigned *ret_environment_bytes);
