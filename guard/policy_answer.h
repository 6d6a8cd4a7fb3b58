/*
 * policy_answer - a policy as people and programs read it: each key, its value, where it comes from
 *
 * Text is TOML again, so that it can be the start of a policy file; the other form is JSON. For
 * `safepyrun policy`, which starts a guard's program for it; what %guard tells is report's.
 */
#pragma once

/* The numbers are also in hosts/main.py. */
enum policy_question { POLICY_QUESTION_CHECK, POLICY_QUESTION_SHOW, POLICY_QUESTION_SHOW_JSON };

/*
 * policy_answer() - read one CONFIGURE, say on stdout what it means, on stderr what is wrong
 *
 * No cell runs and no set-up file either. Called with the GIL.
 *
 * link_fd            TAKEN
 * library_directory  as for guard_serve()
 *
 * Returns the exit status: 0; 1 a file is wrong; 2 a fault.
 */
int policy_answer(int link_fd, const char *library_directory, enum policy_question question);
