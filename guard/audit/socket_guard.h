/*
 * socket_guard - no socket object around the link's descriptor
 *
 * The event of a new socket says family and type, not the descriptor that it is made from; a library may make
 * local sockets for an event loop, and whatever it is handed could be the link. Not for the network: events.def.
 */
#pragma once

#include <Python.h>

/* `module` is a _socket, filled or not. Returns 0, or -1 with an exception. */
int socket_guard_module(PyObject *module);
