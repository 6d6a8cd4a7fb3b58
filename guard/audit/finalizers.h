/*
 * finalizers - what runs because an object dies is not called by whoever runs at that moment
 *
 * An object of a cell's can die in the middle of a tool: when the collector comes, or a cache lets go of it. Its __del__, close() of a file, the
 * `finally` of a generator would have the tool's frame outside of them, and with it its rights. So each such function of a class begins
 * apart (tools.h): those of classes that are there when the guard closes, and of others when they are made or changed. Only where
 * tools are registered. Not for callbacks of weak references: barred_callbacks.h.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/* All classes there are; `each` is called with them, too. Once; -1 with an exception set. */
int finalizers_start(int (*each)(PyObject *type));

/* A class was made, or its __del__ or bases were changed: it and those below it. -1 with an exception set. Nothing before the start. */
int finalizers_see(PyObject *type);

/* A native module was loaded: its classes. -1 as above. */
int finalizers_see_module(PyObject *module);
