/*
 * keeper - the parent of one guard that was forked from a template
 *
 * A guard cannot be a child of its kernel process: that is no ancestor of the template. So the template
 * forks a keeper, which forks the guard, is the subreaper of all below it, tells the kernel process how they
 * ended, and ends them all when the connection ends. It runs no Python, and sees nothing of what the
 * kernel process hands to the guard.
 */
#pragma once

enum { KEEPER_LINK_FD = 3 }; /* the link, in the guard; as kernel/supervisor/spawn has it */

struct keeper_news {
    const char *description; /* lines of text for TEMPLATE_STATUS */
    int template_pid;
};

/*
 * keeper_serve() - in the child of the template: read one request and do it
 *
 * connection  TAKEN
 *
 * Returns in the guard, forked and with its descriptors in place; the connection's number: what is
 * left to be read there is the environment, ret_environment_bytes of it.
 */
int keeper_serve(int connection, const struct keeper_news *news, unsigned *ret_environment_bytes);
