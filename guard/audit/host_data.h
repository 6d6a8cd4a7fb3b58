/*
 * host_data - the data of a host's callbacks, kept where nobody else refers to it
 *
 * dicts, lists, tuples and sets are copied all the way down, whatever else is in them is shared: functions
 * and objects of the host stay what they are. Not for objects of cells: those are replaced by
 * guard/audit/plain. Callers own what they get.
 */
#pragma once

#include "guard/python/py_cleanup.h"

#include <stdbool.h>

/* hides: the collector does not list the copies, so that nobody finds them through it. New or NULL. */
PyObject *host_data_copy(PyObject *data, bool hides);
