/*
 * binding - a channel's socket gets its limits, its encryption and its place
 *
 * As the connection file says; where it names no port, one is found and noted there. Who is told of it is for channels. Owns nothing but the
 * files of ipc.
 */
#pragma once

#include "kernel/wire/connection_file.h"

enum { BINDING_LINGER_MS = 1000 }; /* how long a closed socket goes on sending */

/* ret_error: on failure a new sentence; free(). Returns 0 or 1. */
int binding_bind(void *socket, struct connection_file *file, enum channel channel, char **ret_error);

void binding_remove_files(const struct connection_file *file);
