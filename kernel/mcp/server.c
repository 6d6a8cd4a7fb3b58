#include "kernel/mcp/server.h"

#include "kernel/mcp/call.h"
#include "kernel/mcp/jsonrpc.h"
#include "kernel/mcp/protocol.h"
#include "kernel/wire/json_text.h"

#include <signal.h>
#include <sys/signalfd.h>

enum {
    PROGRESS_MS = 250,
    PROGRESS_TEXT_MAX = 2000,      /* bytes of new output in one notification, its end */
};

struct server {
    struct loop *loop;
    struct jsonrpc rpc;
    struct backend backend;
    struct calls calls;
    bool is_connected; /* the kernel has welcomed us: no output can be missed any more */
    struct loop_source input_source;
    struct loop_source signal_source;
    struct loop_timer progress_timer;
};

/* ---- answers -------------------------------------------------------------------------------- */

static int answer(struct server *server, const json_t *id, json_t *result)
{
    return jsonrpc_answer(&server->rpc, id, protocol_sign(result));
}

static json_t *text_result(const char *text, json_t *structured, bool failed)
{
    return json_pack("{s[{ss ss}] so sb}", "content", "type", "text", "text", text,
                     "structuredContent", structured, "isError", failed);
}

/* A call whose cancellation was accepted is not answered. */
static int finish_call(struct server *server, struct call *call, json_t *result)
{
    int status = 0;

    if (call->is_cancelled)
        json_decref(result);
    else
        status = answer(server, call->id, result);
    calls_remove(&server->calls, call);
    return status;
}

static int fail_all(struct server *server, const char *reason)
{
    int status = 0;

    while (status == 0 && server->calls.first != NULL)
        status = finish_call(server, server->calls.first,
                             text_result(reason, json_pack("{ss}", "status", "error"), true));
    return status;
}

/* ---- to the kernel -------------------------------------------------------------------------- */

static void append_code(const struct call *call, struct buffer *content)
{
    json_t *code = json_object_get(call->arguments, "code");
    json_t *cells = json_object_get(call->arguments, "cells");

    if (call->tool == TOOL_RUN_CODE)
        json_text_append_string(
            content, (struct bytes){json_string_value(code), json_string_length(code)});
    else
        buffer_append_format(content, "\"%%rewind %d\"",
                             cells != NULL ? (int)json_integer_value(cells) : 1);
}

/* What is asked of this cell alone: docs/messages.md. */
static void append_wishes(const struct call *call, struct buffer *metadata)
{
    json_t *seconds = json_object_get(call->arguments, "timeout_seconds");

    buffer_append_format(metadata, "{\"safepyrun\":{\"trial\":%s",
                         json_is_true(json_object_get(call->arguments, "trial")) ? "true" : "false");
    if (seconds != NULL)
        buffer_append_format(metadata, ",\"timeout_seconds\":%lld",
                             (long long)json_integer_value(seconds));
    buffer_append_string(metadata, "}}");
}

static char *send_run(struct server *server, const struct call *call)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    cleanup_buffer struct buffer metadata = BUFFER_NONE;

    buffer_append_string(&content, "{\"code\":");
    append_code(call, &content);
    buffer_append_string(&content, ",\"allow_stdin\":false,\"stop_on_error\":false}");
    append_wishes(call, &metadata);
    return backend_send(&server->backend, &server->backend.shell, "execute_request",
                        buffer_bytes(&metadata), buffer_bytes(&content));
}

/* One run at a time, so that an interrupt meets the one that is meant. */
static void send_next_run(struct server *server)
{
    struct call *call = calls_first_run(&server->calls);

    if (server->is_connected && call != NULL && call->msg_id == NULL)
        call->msg_id = send_run(server, call);
}

static void send_question(struct server *server, struct call *call)
{
    bool is_status = call->tool == TOOL_STATUS;

    call->msg_id = backend_send(
        &server->backend, is_status ? &server->backend.control : &server->backend.shell,
        is_status ? "safepyrun_status_request" : "safepyrun_variables_request", BYTES_NONE, BYTES_NONE);
}

/* ---- from the kernel ------------------------------------------------------------------------ */

static struct call *call_of(const struct server *server, const struct message *message)
{
    cleanup_buffer struct buffer msg_id = BUFFER_NONE;
    struct bytes value;

    if (!json_text_is_object(message->parent_header, JSON_TEXT_LENIENT) ||
        !json_text_member(message->parent_header, "msg_id", &value) ||
        !json_text_string(value, &msg_id))
        return NULL;
    return calls_by_msg_id(&server->calls, buffer_bytes(&msg_id));
}

static int finish_run(struct server *server, struct call *call)
{
    int result;

    if (call->reply == NULL || !call->is_idle)
        return 0;
    result = finish_call(server, call, cell_result_compose(&call->result, call->reply));
    send_next_run(server);
    return result;
}

/* Text of the reply for the model, and the same as data. */
static int finish_question(struct server *server, struct call *call, const struct message *reply)
{
    json_t *structured = json_loadb(reply->content.data, reply->content.size, JSON_ALLOW_NUL, NULL);
    cleanup_free char *text = structured != NULL ? json_dumps(structured, JSON_INDENT(1)) : NULL;
    const char *status = json_string_value(json_object_get(structured, "status"));
    bool failed = status == NULL || strcmp(status, "ok") != 0;

    return finish_call(server, call,
                       text_result(text != NULL ? text : "no answer",
                                   structured != NULL ? structured : json_object(), failed));
}

static int take_reply(struct server *server, struct call *call, struct message *message)
{
    int result;

    if (call_is_cell(call)) {
        message_free(call->reply);
        call->reply = message;
        return finish_run(server, call);
    }
    result = finish_question(server, call, message);
    message_free(message);
    return result;
}

static void note_news(struct server *server, struct call *call, struct bytes text)
{
    if (call->progress_token == NULL || text.size == 0)
        return;
    buffer_append(&call->news, text);
    if (server->progress_timer.due_ms == 0)
        loop_timer_start(&server->progress_timer, PROGRESS_MS);
}

static bool is_idle_status(const struct message *message)
{
    struct bytes state;

    return strcmp(message->msg_type, "status") == 0 &&
           json_text_member(message->content, "execution_state", &state) &&
           bytes_equal_string(state, "\"idle\"");
}

static int take_output(struct server *server, const struct message *message)
{
    struct call *call = call_of(server, message);

    if (strcmp(message->msg_type, "iopub_welcome") == 0) {
        server->is_connected = true;
        send_next_run(server);
        return 0;
    }
    if (call == NULL || !call_is_cell(call) || !message->content_is_valid)
        return 0;
    if (is_idle_status(message)) {
        call->is_idle = true;
        return finish_run(server, call);
    }
    note_news(server, call, cell_result_take(&call->result, message));
    return 0;
}

static int on_message(void *context, enum channel channel, struct message *message)
{
    struct server *server = context;
    struct call *call;
    int result = 0;

    if (channel != CHANNEL_IOPUB) {
        call = call_of(server, message);
        if (call != NULL && message->content_is_valid)
            return take_reply(server, call, message);
    } else {
        result = take_output(server, message);
    }
    message_free(message);
    return result;
}

/* The last whole characters of the text; they are what changed. */
static json_t *progress_text(const struct buffer *news)
{
    size_t skip = news->size > PROGRESS_TEXT_MAX ? news->size - PROGRESS_TEXT_MAX : 0;

    while (skip < news->size && ((unsigned char)news->data[skip] & 0xC0) == 0x80)
        skip++;
    return json_stringn_nocheck(news->data + skip, news->size - skip);
}

static int on_progress(void *context)
{
    struct server *server = context;
    struct call *call = calls_first_run(&server->calls);

    if (call == NULL || call->news.size == 0 || call->is_cancelled)
        return 0;
    json_t *params = json_pack("{sO si so}", "progressToken", call->progress_token, "progress",
                               ++call->progress, "message", progress_text(&call->news));

    buffer_clear(&call->news, 0);
    return jsonrpc_notify(&server->rpc, "notifications/progress", params);
}

/* ---- the session ---------------------------------------------------------------------------- */

static int start_backend(struct server *server)
{
    cleanup_free char *error = NULL;

    server->is_connected = false;
    if (backend_start(&server->backend, &error) == 0)
        return 0;
    fprintf(stderr, "safepyrun mcp: %s\n", error);
    return -ECHILD;
}

static int on_kernel_end(void *context)
{
    struct server *server = context;
    bool was_connected = server->is_connected;
    int result;

    backend_stop(&server->backend);
    result = fail_all(server, was_connected ? "The kernel has ended; a new session has begun."
                                            : "The kernel could not start.");
    if (result != 0 || was_connected)
        return result != 0 ? result : start_backend(server);
    return -ECHILD; /* it has said why; the next one would end like this one */
}

static int reset(struct server *server, const json_t *id)
{
    int result;

    backend_stop(&server->backend);
    result = fail_all(server, "The session was reset.");
    if (result == 0)
        result = start_backend(server);
    if (result != 0)
        return result;
    return answer(server, id, text_result("A new session has begun.", json_pack("{ss}", "state", "starting"), false));
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
    struct call *call;

    if (tool == TOOL_COUNT)
        return jsonrpc_refuse(&server->rpc, id, JSONRPC_INVALID_PARAMS, "there is no such tool", NULL);
    if (tool == TOOL_RESET)
        return reset(server, id);
    /* A wrong argument is the model's to mend, so it is told in a result. */
    if (find_fault(tool, arguments) != NULL)
        return answer(server, id, text_result(find_fault(tool, arguments), json_null(), true));
    call = calls_add(&server->calls, tool, id, arguments, token);
    if (call_is_cell(call))
        send_next_run(server);
    else
        send_question(server, call);
    return 0;
}

static int cancel(struct server *server, const json_t *params)
{
    struct call *call = calls_by_id(&server->calls, json_object_get(params, "requestId"));

    if (call == NULL)
        return 0;
    call->is_cancelled = true;
    if (call->msg_id == NULL)
        calls_remove(&server->calls, call);
    else if (call_is_cell(call))
        free(backend_send(&server->backend, &server->backend.control, "interrupt_request", BYTES_NONE,
                          BYTES_NONE));
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

    if (id == NULL)
        return strcmp(method, "notifications/cancelled") == 0 ? cancel(server, params) : 0;
    if (protocol_unknown_version(params) != NULL)
        return jsonrpc_refuse(&server->rpc, id, PROTOCOL_UNSUPPORTED_VERSION,
                              "unsupported protocol version",
                              protocol_version_problem(protocol_unknown_version(params)));
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(methods[i].name, method) == 0)
            return methods[i].run(server, id, params);
    return jsonrpc_refuse(&server->rpc, id, JSONRPC_METHOD_NOT_FOUND, "there is no such method", NULL);
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

static void watch_signals(struct server *server)
{
    sigset_t signals;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    server->signal_source = (struct loop_source){
        .fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK),
        .events = ZMQ_POLLIN,
        .callback = on_signal,
        .context = server,
    };
    loop_add(server->loop, &server->signal_source);
}

static void start(struct server *server, const struct backend_options *options)
{
    server->loop = loop_new();
    watch_signals(server);
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
    server->progress_timer = (struct loop_timer){.callback = on_progress, .context = server};
    loop_add_timer(server->loop, &server->progress_timer);
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
    while (server.calls.first != NULL)
        calls_remove(&server.calls, server.calls.first);
    jsonrpc_finish(&server.rpc);
    close(server.signal_source.fd);
    loop_free(server.loop);
    return result != 0 && result != -EPIPE;
}
