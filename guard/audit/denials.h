/*
 * denials - a "no" in words, as an exception and on record
 *
 * Libraries swallow exceptions (tempfile, linecache, sys.addaudithook), so each denial is also counted
 * and handed to a callback. The exception is built from C strings only: nothing of the refused
 * arguments is asked for its text. Not for decisions. The texts in a record are borrowed.
 */
#pragma once

#include "guard/audit/audit.h"
#include "guard/policy/verdict.h"

/*
 * denials_raise() - set PermissionError(EACCES, message, subject) and record it
 *
 * event  audit event or name of the built-in
 * words  what the cell did: completes "safepyrun refused to …"
 *
 * Always returns -1.
 */
int denials_raise(const char *event, const char *words, const struct denial *denial);
/* The same with more text in the exception, not on record; NULL: none. */
int denials_raise_with(const char *event, const char *words, const struct denial *denial,
                       const char *trail);
