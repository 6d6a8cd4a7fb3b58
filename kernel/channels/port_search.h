/*
 * port_search - a free port, of a range when a firewall or a launcher wants one
 *
 * The system chooses where no range was given. In a range every port is tried once, from a random
 * one on, so that kernels that start together seldom meet.
 */
#pragma once

#include "kernel/wire/connection_file.h"

/* Binds to the port, 0 for any. Returns 0; -EADDRINUSE to be asked for the next; another -errno. */
typedef int (*port_attempt)(void *context, int port);

/* Returns 0, or the last attempt's -errno. */
int port_search(const struct port_range *range, port_attempt attempt, void *context);
