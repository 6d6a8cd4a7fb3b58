/*
 * policy_question - ask a guard about policy files
 *
 * Only a Python can read TOML, so the questions of `safepyrun policy` and of `safepyrun install` go
 * to a guard in the words of a session: the answer is what a kernel that starts here would do. The
 * guard writes to our stdout and says on stderr what is wrong.
 */
#pragma once

#include "kernel/config/policy_sources.h"

/* question: "--check-policy", "--show-policy", "--show-policy-json". Returns an exit status. */
int policy_question_ask(const char *question, const struct policy_sources *sources);

/* Is this one file right? Returns an exit status. */
int policy_question_check(const char *path);
