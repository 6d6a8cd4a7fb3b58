/*
 * policy_line - in which line of a policy file a key stands
 *
 * tomllib keeps no lines, and an error message without one makes people search. This only looks at
 * how lines begin; it never decides what a file means.
 */
#pragma once

/* key: "ban_defs", or "env.pass" for `pass` below [env]. Counts from 1; 0 when no line begins so.
 */
unsigned policy_line_find(const char *text, const char *key);
