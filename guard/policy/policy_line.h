/*
 * policy_line - in which line of a policy file a key stands
 *
 * tomllib keeps no lines, and an error message without one makes people search. This walks over
 * text that tomllib has taken already: tables, dotted and quoted keys, strings over several lines,
 * arrays, tables in braces. It never decides what a file means, and a key in quotes with escapes
 * has no line.
 */
#pragma once

#include <stddef.h>

/*
 * key: "ban_defs", "env.pass" for `pass` below [env], "env" for whatever stands in it first; a part
 * with a dot in it is written in quotes. Counts from 1; 0 when it is not there.
 */
unsigned policy_line_find(const char *text, const char *key);

/* Entry `item`, from 0 on, of the array that `key` is; the line of the key when there is none. */
unsigned policy_line_of_item(const char *text, const char *key, size_t item);
