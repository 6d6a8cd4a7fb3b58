/*
 * protocol - what the server says about itself, in the words of each revision
 *
 * Up to 2025-11-25 a client begins with a handshake (initialize); since 2026-07-28 each request describes
 * itself and server/discover tells the rest. All results are new objects. Source: Model Context
 * Protocol 2026-07-28, "Base protocol", "Versioning" and "Tools".
 */
#pragma once

#include <jansson.h>

enum { PROTOCOL_UNSUPPORTED_VERSION = -32022 };

json_t *protocol_initialize(const json_t *params);
json_t *protocol_discover(void);
json_t *protocol_list_tools(void);

/* The revision that a request names and we do not know, borrowed; NULL when all is well. */
const char *protocol_unknown_version(const json_t *params);
/* The data of the error for it. */
json_t *protocol_version_problem(const char *requested);

/* Adds what every result of the newest revision carries, and older clients ignore. result TAKEN. */
json_t *protocol_sign(json_t *result);
