/*
 * jsonrpc - JSON-RPC 2.0 over standard input and output, a message a line
 *
 * Reads lines in bounded bites, hands out objects, writes answers. What methods mean is not known here.
 * Source: JSON-RPC 2.0; Model Context Protocol 2026-07-28, "Transports: stdio".
 */
#pragma once

#include "guard/link/buffer.h"

#include <jansson.h>

enum {
    JSONRPC_PARSE_ERROR = -32700,
    JSONRPC_INVALID_REQUEST = -32600,
    JSONRPC_METHOD_NOT_FOUND = -32601,
    JSONRPC_INVALID_PARAMS = -32602,
    JSONRPC_LINE_MAX = 64 << 20, /* bytes; a longer line is answered with an error */
};

struct jsonrpc {
    int input;
    int output;
    struct buffer line; /* what has come of the next one */
    bool skips;         /* the rest of a line that was too long */
    /* A request (it has an "id") or a notification; borrowed. Returns 0 or -errno. */
    int (*take)(void *context, const json_t *message);
    void *context;
};

/* One bite. Returns 0; -ENODATA at the end of the input; -errno. */
int jsonrpc_read(struct jsonrpc *rpc);
void jsonrpc_finish(struct jsonrpc *rpc);

/* id borrowed; result and data TAKEN, data may be NULL. Return 0 or -errno: the reader has gone. */
int jsonrpc_answer(struct jsonrpc *rpc, const json_t *id, json_t *result);
int jsonrpc_refuse(struct jsonrpc *rpc, const json_t *id, int code, const char *message, json_t *data);
int jsonrpc_notify(struct jsonrpc *rpc, const char *method, json_t *params);
