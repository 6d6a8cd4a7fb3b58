#include "kernel/requests/requests.h"

#include "kernel/execution/main_shell.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/wire/json_text.h"

enum { NAME_MAX_SIZE = 64 }; /* of a message type that is repeated in a reply's header */

static const struct request_type *const types[] = {
    &create_subshell_request, &delete_subshell_request, &list_subshell_request,
    &execute_request,     &inspect_request,     &complete_request,    &history_request,
    &is_complete_request, &connect_request,     &comm_info_request,   &kernel_info_request,
    &shutdown_request,    &interrupt_request,   &comm_open_request,   &comm_msg_request,
    &comm_close_request,  &usage_request,       &status_request,      &variables_request,
    &debug_request,
};

static const struct request_type *find_type(const char *msg_type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i]->msg_type, msg_type) == 0)
            return types[i];
    return NULL;
}

/* Nobody waits for an answer to what is not a request. */
static int refuse_unknown(struct kernel *kernel, enum channel channel, struct message *message)
{
    static const char suffix[] = "_request";
    size_t length = strlen(message->msg_type);
    size_t stem = length > sizeof(suffix) - 1 ? length - (sizeof(suffix) - 1) : 0;
    bool asks = stem != 0 && strcmp(message->msg_type + stem, suffix) == 0 &&
                strspn(message->msg_type, "abcdefghijklmnopqrstuvwxyz0123456789_") == length &&
                length < NAME_MAX_SIZE;
    cleanup_free char *msg_type = xstrdup(message->msg_type);
    cleanup_free char *reply_type = asks ? xasprintf("%.*s_reply", (int)stem, msg_type) : NULL;
    /* Only for the time of this call: refusing closes the request. */
    struct request_type type = {.msg_type = msg_type, .reply_type = reply_type};
    struct request *request = request_new(kernel, channel, &type, message);

    log_warning("%s: unknown message type %s", channel_name(channel), msg_type);
    if (reply_type != NULL)
        return request_refuse(request, "ValueError", "the %s channel knows no %s",
                              channel_name(channel), msg_type);
    return request_close(request);
}

int requests_dispatch(struct kernel *kernel, enum channel channel, struct message *message)
{
    const struct request_type *type = find_type(message->msg_type);
    struct request *request;

    if (type == NULL || (type->channels & (1U << channel)) == 0)
        return refuse_unknown(kernel, channel, message);
    request = request_new(kernel, channel, type, message);
    if (!message->content_is_valid)
        return request_refuse(request, "ValueError",
                              "content and metadata must be JSON objects in UTF-8, nested at most "
                              "%d deep",
                              JSON_TEXT_DEPTH_MAX);
    return type->handle(kernel, request);
}

int requests_enqueue(struct kernel *kernel, struct request *request)
{
    struct subshell *subshell = NULL;

    if (kernel->guard.state == GUARD_FAILED) {
        cleanup_free char *why =
            xasprintf("the interpreter could not start: %s", kernel->guard.failure);

        return request_fail(request, "GuardFailed", why);
    }
    if (kernel->guard.state == GUARD_DEAD)
        return request_fail(request, "GuardDied", "the interpreter process has ended");
    if (request->channel == CHANNEL_SHELL && !subshells_find(kernel, request->message, &subshell)) {
        /* A comm outlives the subshell that a front end has given it: it may have to be closed, and nobody would tell. */
        if (!comm_order_is_comm(request))
            return subshells_refuse_unknown(request, request->message->header);
        if (subshell != NULL && subshell->state != SUBSHELL_ENDING)
            subshell = NULL;
    }
    if (subshell != NULL && !(kernel->debugger.is_attached && comm_order_is_comm(request))) /* breakpoints stop in the main shell only */
        return subshell_enqueue(subshell, request);
    queue_push(&kernel->queue, request);
    if (kernel->queue.running != NULL || kernel->queue.first != request || kernel->guard.state != GUARD_READY)
        aside_note(kernel, request);
    return main_shell_run_next(kernel);
}

bool requests_send(struct request *request, const struct frame *frame)
{
    if (!frame_fits(frame))
        return false;
    if (request->subshell != NULL)
        subshell_send(request->subshell, frame);
    else
        guard_process_send(&request->kernel->guard, frame);
    return true;
}

int requests_fail(struct request *request, const char *ename, const char *why)
{
    struct queue *queue = queue_of(request);
    bool stops = request->type == &execute_request && request->execute.stop_on_error;
    int result = 0;

    queue->running = NULL;
    if (stops && request->subshell == NULL)
        result = main_shell_read_before_error(request->kernel);
    if (result == 0)
        result = request_fail(request, ename, why);
    return result == 0 && stops ? queue_abort_executes(queue) : result;
}

int requests_refuse_size(struct request *request)
{
    return requests_fail(request, "ValueError", "this is longer than the 512 MB that the interpreter takes at once");
}

int requests_forward(struct kernel *kernel, struct request *request, enum frame_type type)
{
    struct bytes content = request_content(request);

    (void)kernel;
    return requests_send(request, &(struct frame){type, request->cell, 1, &content}) ? 0 : requests_refuse_size(request);
}

void requests_append_context(const struct request *request, struct buffer *context)
{
    struct bytes session = BYTES_LITERAL("\"\"");

    json_text_member(request->message->header, "session", &session);
    buffer_append_format(context, "{\"execution_count\":%d,\"msg_type\":\"%s\",\"msg_id\":",
                         request->execute.execution_count, request->type->msg_type);
    json_text_append_string(context, bytes_of_string(request->message->msg_id));
    buffer_append_string(context, ",\"session\":");
    buffer_append(context, session);
    if (request->execute.trial)
        buffer_append_string(context, ",\"trial\":true");
    buffer_append_string(context, ",\"metadata\":");
    buffer_append(context, request->message->metadata);
    buffer_append_char(context, '}');
}

/* jupyter_client answers without a parent header; who names one must name our question. */
static bool answers(const struct message *message, const char *input_msg_id)
{
    cleanup_buffer struct buffer named = BUFFER_NONE;

    if (!json_text_is_object(message->parent_header, JSON_TEXT_LENIENT) ||
        !json_text_member_string(message->parent_header, "msg_id", &named) || named.size == 0)
        return true;
    return bytes_equal_string(buffer_bytes(&named), input_msg_id);
}

/* Whose question it is; who names none answers that of the main shell, if there is one. */
static struct request *find_asking(struct kernel *kernel, const struct message *message)
{
    struct request *running = kernel->queue.running;

    if (running != NULL && running->input_msg_id != NULL && answers(message, running->input_msg_id))
        return running;
    return subshells_asking(kernel, message, answers);
}

int requests_input_reply(struct kernel *kernel, struct message *message)
{
    struct request *running = find_asking(kernel, message);
    struct bytes content = message->content;

    if (strcmp(message->msg_type, "input_reply") != 0 || !message->content_is_valid ||
        running == NULL || question_is_late_reply(kernel, content)) {
        log_info("stdin: dropped a %s that nobody waits for", message->msg_type);
        message_free(message);
        return 0;
    }
    if (kernel->question.is_open && running == kernel->queue.running) {
        question_take_reply(kernel, content);
        message_free(message);
        return 0;
    }
    request_end_question(running);
    running->asked_bytes = 0;
    if (running->subshell == NULL)
        limits_resume(&kernel->limits);
    /* One part of a message always fits. */
    requests_send(running, &(struct frame){FRAME_INPUT_REPLY, running->cell, 1, &content});
    message_free(message);
    return 0;
}
