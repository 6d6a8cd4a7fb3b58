#include "kernel/mcp/server.h"

#include "kernel/mcp/conversation.h"
#include "kernel/mcp/jsonrpc.h"
#include "kernel/mcp/protocol.h"
#include "kernel/signals.h"

struct server {
    struct loop *loop;
    struct jsonrpc rpc;
    struct backend backend;
    struct conversation conversation;
    struct loop_source input_source;
    struct loop_source signal_source;
};

static int answer(void *context, const json_t *id, json_t *result)
{
    struct server *server = context;

    return jsonrpc_answer(&server->rpc, id, protocol_sign(result));
}

static int notify_progress(void *context, json_t *params)
{
    struct server *server = context;

    return jsonrpc_notify(&server->rpc, "notifications/progress", params);
}

/* ---- the session ---------------------------------------------------------------------------- */

static int on_message(void *context, enum channel channel, struct message *message)
{
    struct server *server = context;

    return conversation_take(&server->conversation, channel, message);
}

static int start_backend(struct server *server)
{
    cleanup_free char *error = NULL;

    server->conversation.is_connected = false;
    if (backend_start(&server->backend, &error) == 0)
        return 0;
    fprintf(stderr, "safepyrun mcp: %s\n", error);
    return -ECHILD;
}

static int on_kernel_end(void *context)
{
    struct server *server = context;
    bool was_connected = server->conversation.is_connected;
    int result;

    backend_stop(&server->backend);
    result = conversation_fail_all(&server->conversation,
                                   was_connected ? "The kernel has ended; a new session has begun."
                                                 : "The kernel could not start.");
    if (result != 0 || was_connected)
        return result != 0 ? result : start_backend(server);
    return -ECHILD; /* it has said why; the next one would end like this one */
}

static int reset(struct server *server, const json_t *id)
{
    int result;

    backend_stop(&server->backend);
    result = conversation_fail_all(&server->conversation, "The session was reset.");
    if (result == 0)
        result = start_backend(server);
    if (result != 0)
        return result;
    return answer(server, id,
                  conversation_text_result("A new session has begun.",
                                           json_pack("{ss}", "state", "starting"), false));
}

/* ---- from the agent ------------------------------------------------------------------------- */

static int initialize(struct server *server, const json_t *id, const json_t *params)
{
    return answer(server, id, protocol_initialize(params));
}

static int discover(struct server *server, const json_t *id, const json_t *params)
{
    (void)params;
    return answer(server, id, protocol_discover());
}

static int list_tools(struct server *server, const json_t *id, const json_t *params)
{
    (void)params;
    return answer(server, id, protocol_list_tools());
}

static int ping(struct server *server, const json_t *id, const json_t *params)
{
    (void)params;
    return answer(server, id, json_object());
}

/* An optional whole number. */
static bool is_in_range(const json_t *number, json_int_t most)
{
    return number == NULL || (json_is_integer(number) && json_integer_value(number) >= 1 &&
                              json_integer_value(number) <= most);
}

/* What is wrong with the arguments, or NULL. */
static const char *find_fault(enum tool tool, const json_t *arguments)
{
    const json_t *trial = json_object_get(arguments, "trial");

    if (tool == TOOL_REWIND)
        return is_in_range(json_object_get(arguments, "cells"), 32)
                   ? NULL
                   : "\"cells\" must be a whole number from 1 to 32";
    if (tool != TOOL_RUN_CODE)
        return NULL;
    if (!json_is_string(json_object_get(arguments, "code")))
        return "\"code\" must be a string";
    if (trial != NULL && !json_is_boolean(trial))
        return "\"trial\" must be true or false";
    if (!is_in_range(json_object_get(arguments, "timeout_seconds"), 31536000))
        return "\"timeout_seconds\" must be a whole number from 1 to 31536000";
    return NULL;
}

static int call_tool(struct server *server, const json_t *id, const json_t *params)
{
    const char *name = json_string_value(json_object_get(params, "name"));
    const json_t *arguments = json_object_get(params, "arguments");
    const json_t *token = json_object_get(json_object_get(params, "_meta"), "progressToken");
    enum tool tool = name != NULL ? tools_find(name) : TOOL_COUNT;

    if (tool == TOOL_COUNT)
        return jsonrpc_refuse(&server->rpc, id, JSONRPC_INVALID_PARAMS, "there is no such tool",
                              NULL);
    if (tool == TOOL_RESET)
        return reset(server, id);
    /* A wrong argument is the model's to mend, so it is told in a result. */
    if (find_fault(tool, arguments) != NULL)
        return answer(server, id,
                      conversation_text_result(find_fault(tool, arguments), NULL, true));
    conversation_begin(&server->conversation, tool, id, arguments, token);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct server *server, const json_t *id, const json_t *params);
} methods[] = {
    {"initialize", initialize}, {"server/discover", discover}, {"ping", ping},
    {"tools/list", list_tools}, {"tools/call", call_tool},
};

static int on_request(void *context, const json_t *message)
{
    struct server *server = context;
    const char *method = json_string_value(json_object_get(message, "method"));
    const json_t *id = json_object_get(message, "id");
    const json_t *params = json_object_get(message, "params");

    if (id == NULL) {
        if (strcmp(method, "notifications/cancelled") == 0)
            conversation_cancel(&server->conversation, json_object_get(params, "requestId"));
        return 0;
    }
    if (protocol_unknown_version(params) != NULL)
        return jsonrpc_refuse(&server->rpc, id, PROTOCOL_UNSUPPORTED_VERSION,
                              "unsupported protocol version",
                              protocol_version_problem(protocol_unknown_version(params)));
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(methods[i].name, method) == 0)
            return methods[i].run(server, id, params);
    return jsonrpc_refuse(&server->rpc, id, JSONRPC_METHOD_NOT_FOUND, "there is no such method",
                          NULL);
}

/* ---- life ----------------------------------------------------------------------------------- */

static int on_input(void *context)
{
    struct server *server = context;
    int result = jsonrpc_read(&server->rpc);

    if (result == -ENODATA || result == -EPIPE) {
        loop_stop(server->loop); /* the agent has gone */
        return 0;
    }
    return result;
}

static int on_signal(void *context)
{
    loop_stop(((struct server *)context)->loop);
    return 0;
}

static void start(struct server *server, const struct backend_options *options)
{
    server->loop = loop_new();
    signals_watch(server->loop, &server->signal_source, on_signal, server);
    server->rpc = (struct jsonrpc){
        .input = STDIN_FILENO, .output = STDOUT_FILENO, .take = on_request, .context = server};
    server->backend = (struct backend){.loop = server->loop,
                                       .options = *options,
                                       .take = on_message,
                                       .ended = on_kernel_end,
                                       .context = server};
    server->input_source = (struct loop_source){
        .fd = STDIN_FILENO, .events = ZMQ_POLLIN, .callback = on_input, .context = server};
    loop_add(server->loop, &server->input_source);
    server->conversation = (struct conversation){.backend = &server->backend,
                                                 .answer = answer,
                                                 .progress = notify_progress,
                                                 .context = server};
    conversation_init(&server->conversation, server->loop);
}

int mcp_serve(const struct backend_options *options)
{
    struct server server = {.loop = NULL};
    int result;

    start(&server, options);
    result = start_backend(&server);
    if (result == 0)
        result = loop_run(server.loop);
    backend_stop(&server.backend);
    conversation_finish(&server.conversation);
    jsonrpc_finish(&server.rpc);
    close(server.signal_source.fd);
    loop_free(server.loop);
    return result != 0 && result != -EPIPE;
}
