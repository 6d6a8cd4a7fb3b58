/*
 * hook - from an audit event, or a call of an interposed built-in, to a verdict
 *
 * The path of every audit event of the process; what it costs, everybody pays: 10 to 60 ns for rows
 * that need no facts. Runs in any thread, with the GIL, and runs no Python code. Owns nothing.
 */
#pragma once

#include "guard/audit/facts.h"
#include "guard/audit/scope.h"

/* Puts the hook in, once. Returns 0 or -errno. */
int hook_install(void);

/* link_fd: see audit_arm(). */
void hook_set_link(int link_fd);

/* The OS ring starts no programs and opens no connections from now on: no tool has a right to them. */
void hook_note_ring(void);

/* Did the hook see the event that audit.c raised to prove it? Asked once. */
#define HOOK_PROOF "safepyrun.proof"
bool hook_was_proved(void);

/* Judges arguments by one row, in the scope in force, if any; source: NULL for none. 0, or -1 with
   PermissionError set. */
int hook_judge(const struct event_row *row, const struct facts_source *source);
