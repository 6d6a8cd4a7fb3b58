/*
 * policy_answer - a policy as people and programs read it: each key, its value, where it comes from
 *
 * Text is TOML again, so that it can be the start of a policy file; the other form is JSON. For
 * `safepyrun policy`; what %guard tells is report's.
 */
#pragma once

#include "guard/configuration.h"
#include "guard/guard.h"

/* Prints to stdout. Returns 0 or -1. */
int policy_answer(enum guard_question question, const struct configuration *configuration);
