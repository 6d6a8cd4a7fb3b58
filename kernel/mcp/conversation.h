/*
 * conversation - what tool calls become at the kernel, and what comes back for them
 *
 * Sends calls as requests (cells one after the other, so that an interrupt meets the one that is
 * meant), collects what the kernel publishes and hands over results. Owns the calls that are not
 * answered yet; the backend is borrowed. Not for the agent's protocol.
 */
#pragma once

#include "kernel/mcp/backend.h"
#include "kernel/mcp/call.h"

struct conversation {
    struct backend *backend;
    struct calls calls;
    bool is_connected; /* the kernel has welcomed us: no output can be missed any more */
    struct loop *loop;
    struct loop_timer progress_timer;
    struct loop_timer cancel_timer;
    /* A call is over; id borrowed, result TAKEN. Returns 0 or -errno. */
    int (*answer)(void *context, const json_t *id, json_t *result);
    /* What a call has printed since the last time; params TAKEN. Returns 0 or -errno. */
    int (*progress)(void *context, json_t *params);
    void *context;
};

/* The callbacks and `backend` are set before. */
void conversation_init(struct conversation *conversation, struct loop *loop);
void conversation_finish(struct conversation *conversation);

/* All but `conversation` borrowed and copied; the arguments are checked. */
void conversation_begin(struct conversation *conversation, enum tool tool, const json_t *id,
                        const json_t *arguments, const json_t *progress_token);
/* A call that waits is forgotten, a cell that runs is interrupted until it ends. Neither is answered. */
void conversation_cancel(struct conversation *conversation, const json_t *id);

/* What the kernel sends; message TAKEN. Returns 0 or -errno. */
int conversation_take(struct conversation *conversation, enum channel channel,
                      struct message *message);
/* The kernel is gone: each call that it had is answered with this sentence. Returns 0 or -errno. */
int conversation_fail_all(struct conversation *conversation, const char *reason);

/* The result of a tool call; structured TAKEN. NULL where it would not be what the tool's outputSchema says. */
json_t *conversation_text_result(const char *text, json_t *structured, bool failed);
