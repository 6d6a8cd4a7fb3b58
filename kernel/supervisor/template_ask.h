/*
 * template_ask - what is said to a template: guard/link/template_request.h
 *
 * A template that does not answer at once is as good as none. Nobody but a process of the same user and
 * without a guard over it is believed to be one.
 */
#pragma once

#include "guard/link/passing.h"
#include "guard/link/template_request.h"

#include <stdbool.h>
#include <sys/types.h>

struct template_guard {
    pid_t pid;
    int pidfd;
    pid_t keeper_pid;
    int keeper;
};

/*
 * template_ask() - ask for a guard, and do something else while it is made
 *
 * path         of the socket
 * fds          TEMPLATE_FD_COUNT, as the enumeration says
 * environment  NULL-terminated
 *
 * Returns a connection; -errno: there is no template (ENOENT, ECONNREFUSED) or it does not do its work.
 */
int template_ask(const char *path, const struct passed *fds, char *const *environment);

/*
 * template_take() - the guard that was asked for
 *
 * connection  of template_ask(); TAKEN
 * ret_guard   descriptors to be closed; as long as the keeper's is open, the guard may live
 *
 * Returns 0 or -errno.
 */
int template_take(int connection, struct template_guard *ret_guard);

/* Asks for STATUS or STOP. A new string; NULL when nobody answers. */
char *template_question(const char *path, enum template_kind kind);

/* What a keeper tells; false when nothing comes in time, or nothing more. */
bool template_hear(int keeper, int limit_ms, struct template_answer *ret_news);
