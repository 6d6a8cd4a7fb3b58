/*
 * call - tool calls that are not answered yet
 *
 * A list in the order of arrival, each with the id that the agent waits for and the msg_id of the
 * request that it became. Not for deciding what a call does.
 */
#pragma once

#include "kernel/mcp/cell_result.h"
#include "kernel/mcp/tools.h"

struct call {
    enum tool tool;
    json_t *id;
    json_t *arguments;
    json_t *progress_token; /* NULL: none was asked for */
    char *msg_id;           /* NULL until it was sent */
    struct cell_result result;
    struct message *reply;  /* came before the last output */
    bool is_idle;           /* all its outputs are here */
    bool is_cancelled;      /* nobody waits any more */
    struct buffer news;     /* text since the last progress notification */
    int progress;
    struct call *next;
};

struct calls {
    struct call *first;
};

/* All but `calls` borrowed and copied. The new call, which the list owns. */
struct call *calls_add(struct calls *calls, enum tool tool, const json_t *id, const json_t *arguments,
                       const json_t *progress_token);
struct call *calls_by_msg_id(const struct calls *calls, struct bytes msg_id);
struct call *calls_by_id(const struct calls *calls, const json_t *id);
/* Does it become a cell? Cells are sent one after the other. */
static inline bool call_is_cell(const struct call *call)
{
    return call->tool == TOOL_RUN_CODE || call->tool == TOOL_REWIND;
}

/* The first that is a cell; NULL when none is. */
struct call *calls_first_run(const struct calls *calls);
void calls_remove(struct calls *calls, struct call *call);
