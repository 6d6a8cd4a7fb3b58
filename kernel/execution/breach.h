/*
 * breach - a limit that was exceeded, in words
 *
 * The guard sees an interrupt or a death; why it came is known here alone. What a client gets is an
 * error that names the limit, its value and the line where the cell was.
 */
#pragma once

#include "kernel/execution/request.h"

/* The name of the error: LimitExceeded, or KeyboardInterrupt where a person wanted it. */
const char *breach_ename(const struct kernel *kernel);

/* Where the running cell was, as far as the guard has written it down: ", at line 3: while True: pass".
   A new string, empty when nothing is known. */
char *breach_describe_place(const struct request *request);

/* Whether the request that runs has exceeded a limit. */
bool breach_is(const struct kernel *kernel);

/* The same for this request: those of subshells have limits of their own. */
bool breach_is_of(const struct request *request);

/* What it did, with the place; for the error. A new string. */
char *breach_describe(const struct request *request);

/*
 * breach_append_content() - the guard's error under the right name
 *
 * content  of the guard's `error` or `execute_reply`: its traceback is kept
 *
 * Appends the members ename, evalue and traceback, without braces.
 */
void breach_append_content(const struct request *request, struct bytes content,
                           struct buffer *members);
