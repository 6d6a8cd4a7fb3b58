/*
 * held_carriers - is a function of a library on the stack that may be calling for the cell?
 *
 * contextlib.ExitStack takes a callback out of itself before it calls it: when that asks for a tool's rights, the argument that
 * brought it no longer holds it, and only a variable of the frame in between does. Such frames take the rights away if the tool was
 * handed objects at all, and if its own names do not lead to their code, as to that of shutil.rmtree().
 */
#pragma once

#include "guard/audit/arguments.h"
#include "guard/audit/snapshot.h"

/* `outer`: the frame of the tool, or of who called it; borrowed. snapshot: what its names lead to, or NULL. */
bool held_carriers_run(PyObject *outer, const struct recovered *recovered, const struct snapshot *snapshot);
