/*
 * process - a tool process: runs the set-up files, then one call after the other
 *
 * Outside of both rings, with the rights of the user who started the kernel. What a tool is asked
 * for comes from the guard and is believed in nothing: a number that is looked up, and JSON. The
 * loop is in Python (safepyrun._tool_process); here is what it needs of the system, and its limits.
 * Not dumpable, ends with the starter.
 */
#pragma once

#include "guard/link/buffer.h"
#include "guard/tools/starter.h"

#include <Python.h>

/* Where the starter puts them. */
enum { PROCESS_CONTROL_FD = 3, PROCESS_RECORDS_FD = 4 };

/* names: as SERVE has told them. */
void __attribute__((noreturn))
process_serve(const struct starter_settings *settings, const struct buffer *names);

/* The policy of the session, in a tool process; NULL in any other. */
const struct policy *process_policy(void);
