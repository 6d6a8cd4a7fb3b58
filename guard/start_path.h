/*
 * start_path - from where modules come before the guard is closed
 *
 * Not from folders that cells may write to: what a cell of an earlier session put there (a sitecustomize.py, a json.py below
 * PYTHONPATH, a module that some library looks for) would run in the set-up without a guard. So Python starts without `site`
 * and PYTHONPATH, and gets both here, when the policy is known. Tool processes, which no guard ever closes, stay like this.
 * Not for what cells import, nor for whose code that is: guard/audit/library_code.
 */
#pragma once

#include "guard/policy/policy.h"

/*
 * start_path_begin() - let installed packages be found
 *
 * policy  not sealed yet, its write roots by now are kept; NULL, in a template, where none is known: nothing but installed
 *         packages then. Call again with the policy.
 *
 * Returns 0, or -1 with an exception.
 */
int start_path_begin(const struct policy *policy);

/* The guard is closed: all of sys.path counts. Returns 0, or -1 with an exception. */
int start_path_end(void);
