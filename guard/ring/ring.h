/*
 * ring - the OS ring: what the guard process takes from itself before the first cell
 *
 * It holds alone: whatever a cell runs, native code included, and whether or not the interpreter
 * ring refuses it first. Irrevocable, for all threads and all children. Each part degrades by itself
 * and says so in the report (report.h). Pure C without Python; what the kernel process does is to
 * start the guard with nothing open and to tell others what the report says.
 */
#pragma once

#include "guard/policy/policy.h"
#include "guard/ring/report.h"

#include <sys/types.h>

/* First thing of the process: nothing stays open but 0, 1, 2 and the link. */
void ring_close_inherited(int link_fd);

/*
 * ring_prepare() - what needs a process of one thread
 *
 * When the policy is known and before anything of the user's runs; changes nothing that is visible.
 */
void ring_prepare(const struct policy *policy);

/*
 * ring_close() - from now on
 *
 * policy      sealed
 * ret_report  complete in any case
 *
 * Returns 0, or -1 with a sentence in ret_problem, free(): the policy requires what this system
 * does not give, or the process is in a state in which it must not go on.
 */
int ring_close(const struct policy *policy, struct ring_report *ret_report, char **ret_problem);

/* The process that answers for the filter, which outlives this one for its frozen copies; 0: there is none. */
pid_t ring_broker_pid(void);
