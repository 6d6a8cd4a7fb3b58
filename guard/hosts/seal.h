/*
 * seal - the Python face of the package is after a run what it was before
 *
 * It decides nothing while guarded code runs, but the host will call it again: a cell that reaches it
 * (through sys.modules, say) could put something else in its place for the next time. So the names of its
 * modules, its functions and mon_disable_policy are remembered while guarded code is under way, put back
 * afterwards, and the change is refused. Classes are made constant instead. Not for the host's own
 * modules: a guard in the same process cannot know what is meant there.
 */
#pragma once

#include <Python.h>

/* Around guarded code; overlapping ones share what was remembered by the first. 0 or -1 with an exception. */
int seal_begin(void);
/* -1 with PermissionError when something was changed; it is put back in any case. */
int seal_end(void);

/* No attribute of this class can be set any more. 0 or -1 with an exception. */
int seal_type(PyObject *type);
