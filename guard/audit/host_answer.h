/*
 * host_answer - what a host program says to a refusal, and how it reads there
 *
 * before_deny (of mk_audit) and pre_deny (of RunPython) are asked before anybody else. They run as the
 * host's own work (guard/audit/callback) and see copies only. In a guard process there are none. Not for
 * rights of tools, which are asked next.
 */
#pragma once

#include "guard/audit/facts.h"
#include "guard/audit/scope.h"

enum host_answer {
    HOST_SAYS_NOTHING,
    HOST_ALLOWS,
    HOST_REFUSES, /* whatever a tool may: the denial can have got other words */
};

/*
 * host_answer_ask() - is it permitted after all?
 *
 * source  the arguments of the event
 * denial  its reason becomes the host's words when it raises PermissionError
 *
 * Leaves no exception set.
 */
enum host_answer host_answer_ask(const struct scope *scope, const char *event, const char *words,
                                 const struct facts_source *source, struct denial *denial);

/* The host's data as its callbacks see it: a new copy. NULL with an exception. */
PyObject *host_answer_data(const struct scope *scope);

/* What follows the message in a host program: the call chain, and where the guard was entered if that is
   not on the stack: in another thread or task. A new string, NULL for nothing. */
char *host_answer_trail(const struct scope *scope);
