/*
 * env_names - which environment variables cells do not get to see
 *
 * By name: words that say "secret" in it (API_TOKEN, DB_PASSWORD, SSH_AUTH_SOCK). By value: a URL
 * with a password in it. env.pass and env.hide of the policy correct the guess. Not for removing
 * them (guard/environment.c) and not for which ones a cell may set (verdict.h).
 */
#pragma once

#include "guard/policy/policy.h"

/* Whether this variable looks like a secret, whatever a policy says. */
bool env_names_look_secret(const char *name, const char *value);

/* The same under a policy. Under the preset "open" nothing is hidden but what env.hide names. */
bool env_names_hide(const struct policy *policy, const char *name, const char *value);
