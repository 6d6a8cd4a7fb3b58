/*
 * tools - what an agent can call: names, words and schemas
 *
 * A table; how a call is made is server.c's matter. Source: Model Context Protocol 2026-07-28, "Tools".
 */
#pragma once

#include <jansson.h>

enum tool { TOOL_RUN_CODE, TOOL_REWIND, TOOL_VARIABLES, TOOL_STATUS, TOOL_RESET, TOOL_COUNT };

/* TOOL_COUNT when there is none of this name. */
enum tool tools_find(const char *name);

/* The list for tools/list, a new array. */
json_t *tools_describe(void);

/* What the model is told about the server as a whole. */
extern const char tools_instructions[];
