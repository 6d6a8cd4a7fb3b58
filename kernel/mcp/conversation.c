#include "kernel/mcp/conversation.h"

#include "kernel/wire/json_text.h"

enum {
    PROGRESS_MS = 250,
    CANCEL_MS = 1500, /* more than what the kernel waits before a second interrupt ends native code */
    PROGRESS_TEXT_MAX = 2000, /* bytes of new output in one notification, its end */
};

/* ---- answers -------------------------------------------------------------------------------- */

json_t *conversation_text_result(const char *text, json_t *structured, bool failed)
{
    return json_pack("{s[{ss ss}] so* sb}", "content", "type", "text", "text", text,
                     "structuredContent", structured, "isError", failed);
}

/* A call whose cancellation was accepted is not answered. */
static int finish_call(struct conversation *conversation, struct call *call, json_t *result)
{
    int status = 0;

    if (call->is_cancelled)
        json_decref(result);
    else
        status = conversation->answer(conversation->context, call->id, result);
    calls_remove(&conversation->calls, call);
    return status;
}

int conversation_fail_all(struct conversation *conversation, const char *reason)
{
    int status = 0;

    while (status == 0 && conversation->calls.first != NULL)
        status = finish_call(
            conversation, conversation->calls.first,
            conversation_text_result(reason, NULL, true));
    return status;
}

/* ---- to the kernel -------------------------------------------------------------------------- */

static void append_code(const struct call *call, struct buffer *content)
{
    json_t *code = json_object_get(call->arguments, "code");
    json_t *cells = json_object_get(call->arguments, "cells");

    if (call->tool == TOOL_RUN_CODE)
        json_text_append_string(content,
                                (struct bytes){json_string_value(code), json_string_length(code)});
    else
        buffer_append_format(content, "\"%%rewind %d\"",
                             cells != NULL ? (int)json_integer_value(cells) : 1);
}

/* What is asked of this cell alone: docs/messages.md. */
static void append_wishes(const struct call *call, struct buffer *metadata)
{
    json_t *seconds = json_object_get(call->arguments, "timeout_seconds");

    buffer_append_format(metadata, "{\"safepyrun\":{\"trial\":%s",
                         json_is_true(json_object_get(call->arguments, "trial")) ? "true"
                                                                                 : "false");
    if (seconds != NULL)
        buffer_append_format(metadata, ",\"timeout_seconds\":%lld",
                             (long long)json_integer_value(seconds));
    buffer_append_string(metadata, "}}");
}

static char *send_run(struct conversation *conversation, const struct call *call)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    cleanup_buffer struct buffer metadata = BUFFER_NONE;

    buffer_append_string(&content, "{\"code\":");
    append_code(call, &content);
    buffer_append_string(&content, ",\"allow_stdin\":false,\"stop_on_error\":false}");
    append_wishes(call, &metadata);
    return backend_send(conversation->backend, &conversation->backend->shell, "execute_request",
                        buffer_bytes(&metadata), buffer_bytes(&content));
}

/* One run at a time, so that an interrupt meets the one that is meant. */
static void send_next_run(struct conversation *conversation)
{
    struct call *call = calls_first_run(&conversation->calls);

    if (conversation->is_connected && call != NULL && call->msg_id == NULL)
        call->msg_id = send_run(conversation, call);
}

static void send_question(struct conversation *conversation, struct call *call)
{
    bool is_status = call->tool == TOOL_STATUS;

    call->msg_id =
        backend_send(conversation->backend,
                     is_status ? &conversation->backend->control : &conversation->backend->shell,
                     is_status ? "safepyrun_status_request" : "safepyrun_variables_request",
                     BYTES_NONE, BYTES_NONE);
}

/* ---- from the kernel ------------------------------------------------------------------------ */

static struct call *call_of(const struct conversation *conversation, const struct message *message)
{
    cleanup_buffer struct buffer msg_id = BUFFER_NONE;

    if (!json_text_is_object(message->parent_header, JSON_TEXT_LENIENT) ||
        !json_text_member_string(message->parent_header, "msg_id", &msg_id))
        return NULL;
    return calls_by_msg_id(&conversation->calls, buffer_bytes(&msg_id));
}

static int finish_run(struct conversation *conversation, struct call *call)
{
    int result;

    if (call->reply == NULL || !call->is_idle)
        return 0;
    result = finish_call(conversation, call, cell_result_compose(&call->result, call->reply));
    send_next_run(conversation);
    return result;
}

/* Text of the reply for the model, and the same as data. */
static int finish_question(struct conversation *conversation, struct call *call,
                           const struct message *reply)
{
    json_t *structured = json_loadb(reply->content.data, reply->content.size, JSON_ALLOW_NUL, NULL);
    cleanup_free char *text = structured != NULL ? json_dumps(structured, JSON_INDENT(1)) : NULL;
    const char *status = json_string_value(json_object_get(structured, "status"));
    bool failed = status == NULL || strcmp(status, "ok") != 0;

    if (failed)
        json_decref(steal(structured));
    return finish_call(conversation, call,
                       conversation_text_result(text != NULL ? text : "no answer", structured, failed));
}

static int take_reply(struct conversation *conversation, struct call *call, struct message *message)
{
    int result;

    if (call_is_cell(call)) {
        message_free(call->reply);
        call->reply = message;
        return finish_run(conversation, call);
    }
    result = finish_question(conversation, call, message);
    message_free(message);
    return result;
}

static void note_news(struct conversation *conversation, struct call *call, struct bytes text)
{
    if (call->progress_token == NULL || call->is_cancelled || text.size == 0)
        return;
    buffer_append(&call->news, text);
    if (conversation->progress_timer.due_ms == 0)
        loop_timer_start(&conversation->progress_timer, PROGRESS_MS);
}

static bool is_idle_status(const struct message *message)
{
    struct bytes state;

    return strcmp(message->msg_type, "status") == 0 &&
           json_text_member(message->content, "execution_state", &state) &&
           bytes_equal_string(state, "\"idle\"");
}

static int take_output(struct conversation *conversation, const struct message *message)
{
    struct call *call = call_of(conversation, message);

    if (strcmp(message->msg_type, "iopub_welcome") == 0) {
        conversation->is_connected = true;
        send_next_run(conversation);
        return 0;
    }
    if (call == NULL || !call_is_cell(call) || !message->content_is_valid)
        return 0;
    if (is_idle_status(message)) {
        call->is_idle = true;
        return finish_run(conversation, call);
    }
    note_news(conversation, call, cell_result_take(&call->result, message));
    return 0;
}

int conversation_take(struct conversation *conversation, enum channel channel,
                      struct message *message)
{
    struct call *call;
    int result = 0;

    if (channel != CHANNEL_IOPUB) {
        call = call_of(conversation, message);
        if (call != NULL && message->content_is_valid)
            return take_reply(conversation, call, message);
    } else {
        result = take_output(conversation, message);
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
    struct conversation *conversation = context;
    struct call *call = calls_first_run(&conversation->calls);

    if (call == NULL || call->news.size == 0 || call->is_cancelled)
        return 0;
    json_t *params = json_pack("{sO si so}", "progressToken", call->progress_token, "progress",
                               ++call->progress, "message", progress_text(&call->news));

    buffer_clear(&call->news, 0);
    return conversation->progress(conversation->context, params);
}

/* ---- from the server ------------------------------------------------------------------------ */

void conversation_begin(struct conversation *conversation, enum tool tool, const json_t *id,
                        const json_t *arguments, const json_t *progress_token)
{
    struct call *call = calls_add(&conversation->calls, tool, id, arguments, progress_token);

    if (call_is_cell(call))
        send_next_run(conversation);
    else
        send_question(conversation, call);
}

static void interrupt(struct conversation *conversation)
{
    free(backend_send(conversation->backend, &conversation->backend->control, "interrupt_request",
                      BYTES_NONE, BYTES_NONE));
    loop_timer_start(&conversation->cancel_timer, CANCEL_MS);
}

/* Nobody waits for this cell, but all that come after it do. */
static int on_still_running(void *context)
{
    struct conversation *conversation = context;
    const struct call *call = calls_first_run(&conversation->calls);

    if (call != NULL && call->is_cancelled && call->msg_id != NULL)
        interrupt(conversation);
    return 0;
}

void conversation_cancel(struct conversation *conversation, const json_t *id)
{
    struct call *call = calls_by_id(&conversation->calls, id);

    if (call == NULL)
        return;
    call->is_cancelled = true;
    if (call->msg_id == NULL)
        calls_remove(&conversation->calls, call);
    else if (call_is_cell(call))
        interrupt(conversation);
}

void conversation_init(struct conversation *conversation, struct loop *loop)
{
    conversation->loop = loop;
    conversation->progress_timer =
        (struct loop_timer){.callback = on_progress, .context = conversation};
    conversation->cancel_timer =
        (struct loop_timer){.callback = on_still_running, .context = conversation};
    loop_add_timer(loop, &conversation->progress_timer);
    loop_add_timer(loop, &conversation->cancel_timer);
}

void conversation_finish(struct conversation *conversation)
{
    while (conversation->calls.first != NULL)
        calls_remove(&conversation->calls, conversation->calls.first);
    loop_remove_timer(conversation->loop, &conversation->progress_timer);
    loop_remove_timer(conversation->loop, &conversation->cancel_timer);
}
