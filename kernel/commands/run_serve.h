/*
 * run_serve - one request after the other, each in a guard of its own
 *
 * For programs that run code all day: what a run waits for is not the start of an interpreter but the fork of a
 * warm one (kernel/supervisor/templates.h), and nothing of a run is there in the next, as ever. Requests and
 * answers are lines of JSON, as `safepyrun run --request` has them; one at a time.
 */
#pragma once

/*
 * run_serve() - until standard input ends or a signal comes
 *
 * python  as run_settings has it
 * warm    modules for the template, with commas between them; NULL: none but what a guard needs
 *
 * Where there is no template, yet or at all, a run starts a process. Returns an exit status.
 */
int run_serve(const char *python, const char *warm);
