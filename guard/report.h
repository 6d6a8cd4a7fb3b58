/*
 * report - what the guard tells about itself: its state, the policy in force, the refusals so far
 *
 * Functions of safepyrun._guard, for %guard and the card. Every answer is a new dict or list: a
 * cell that changes one changes nothing.
 */
#pragma once

#include "guard/denials.h"
#include "guard/ring/report.h"

#include <Python.h>

/*
 * report_start() - add status(), policy() and denials() to safepyrun._guard
 *
 * host         "embedded" or "module"; static
 * policy_file  its name, "" for none; copied
 *
 * Returns 0 or -1 with an exception.
 */
int report_start(const char *host, const char *policy_file);

/* The keys of [limits] and their values, a new dict; NULL with an exception. */
PyObject *report_limits(void);
/* What the policy wants of templates, for READY: {"templates": bool, "imports": "a,b" or None}. New. */
PyObject *report_warm(void);
/* What a kernel process must know to run an errand, for READY; None where nobody is asked. New. */
PyObject *report_ask(void);
/* What %guard status says of the OS ring; copied. */
void report_ring(const struct ring_report *ring);

/* One refusal as a dict, new; NULL with an exception. */
PyObject *report_denial(const struct denial_record *record);
