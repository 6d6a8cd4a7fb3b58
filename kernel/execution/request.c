#include "kernel/execution/request.h"

#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

#include <assert.h>
#include <stdarg.h>

struct request *request_new(struct kernel *kernel, enum channel channel,
                            const struct request_type *type, struct message *message)
{
    struct request *request = xcalloc(1, sizeof(*request));

    request->kernel = kernel;
    request->channel = channel;
    request->type = type;
    request->message = message;
    request->arrival = ++kernel->arrivals;
    return request;
}

bool request_allows_stdin(const struct request *request)
{
    struct bytes value;
    bool allowed = true; /* messaging 5.5, "Execute" */

    if (request->type != &execute_request)
        return false;
    return !json_text_member(request_content(request), "allow_stdin", &value) ||
           (json_text_bool(value, &allowed) && allowed);
}

int request_ask(struct request *request, struct bytes content)
{
    struct kernel *kernel = request->kernel;
    int result = outputs_flush(&kernel->outputs);

    free(request->input_msg_id);
    request->input_msg_id = channels_next_msg_id(&kernel->channels);
    request->asked_bytes += content.size + request->message->header.size;
    if (result != 0)
        return result;
    return channels_ask(&kernel->channels, request->message,
                        &(struct outgoing){.msg_type = "input_request",
                                           .parent_header = request->message->header,
                                           .content = content});
}

void request_end_question(struct request *request)
{
    if (request->input_msg_id == NULL)
        return;
    free(steal(request->input_msg_id));
    channels_forget_question(&request->kernel->channels, request->message);
}

static void request_free(struct request *request)
{
    request_end_question(request);
    message_free(request->message);
    denials_finish(&request->denials);
    free(request->result_text);
    free(request);
}

static int publish_status(struct request *request, struct bytes content)
{
    return channels_publish(&request->kernel->channels,
                            &(struct outgoing){.msg_type = "status",
                                               .parent_header = request->message->header,
                                               .content = content,
                                               .may_wait = request->channel == CHANNEL_CONTROL});
}

int request_say_busy(struct request *request)
{
    return publish_status(request, BYTES_LITERAL("{\"execution_state\":\"busy\"}"));
}

int request_open(struct request *request)
{
    if (request->is_open)
        return 0;
    request->is_open = true;
    session_date(request->started);
    return request_say_busy(request);
}

int request_close(struct request *request)
{
    int result = request_open(request); /* every idle has its busy */

    /* What the cell printed comes before its idle, whatever path it took. */
    if (result == 0)
        result = outputs_flush(&request->kernel->outputs);
    if (result == 0)
        result = publish_status(request, BYTES_LITERAL("{\"execution_state\":\"idle\"}"));
    request_free(request);
    return result;
}

int request_reply(struct request *request, struct bytes content, struct bytes metadata)
{
    /* Who asks on control does not wait for its status messages to be written. */
    int result = request->channel == CHANNEL_CONTROL ? 0 : request_open(request);

    assert(request->type->reply_type != NULL);
    if (result == 0)
        result = outputs_flush(&request->kernel->outputs);
    if (result == 0)
        result = channels_reply(&request->kernel->channels, request->channel, request->message,
                                &(struct outgoing){.msg_type = request->type->reply_type,
                                                   .parent_header = request->message->header,
                                                   .metadata = metadata,
                                                   .content = content});
    if (result != 0) {
        request_free(request);
        return result;
    }
    return request_close(request);
}

/* The members of an error, without braces; its one line is the traceback. */
static void append_error(struct buffer *content, const char *ename, const char *evalue)
{
    cleanup_free char *line = xasprintf("%s: %s", ename, evalue);

    buffer_append_string(content, "\"ename\":");
    json_text_append_string(content, bytes_of_string(ename));
    buffer_append_string(content, ",\"evalue\":");
    json_text_append_string(content, bytes_of_string(evalue));
    buffer_append_string(content, ",\"traceback\":[");
    json_text_append_string(content, bytes_of_string(line));
    buffer_append_string(content, "]");
}

int request_abort(struct request *request)
{
    return request_reply(request, BYTES_LITERAL("{\"status\":\"aborted\"}"), BYTES_NONE);
}

int request_refuse(struct request *request, const char *ename, const char *format, ...)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    cleanup_free char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    if (request->type->reply_type == NULL)
        return request_close(request);
    buffer_append_string(&content, "{\"status\":\"error\",");
    append_error(&content, ename, text);
    if (strcmp(request->type->reply_type, "execute_reply") == 0)
        buffer_append_format(&content, ",\"execution_count\":%d,\"payload\":[],"
                                       "\"user_expressions\":{}",
                             request->execute.execution_count);
    buffer_append_char(&content, '}');
    return request_reply(request, buffer_bytes(&content), BYTES_NONE);
}

static int publish_error(struct request *request, const char *ename, const char *evalue)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    int result = request_open(request);

    if (result == 0)
        result = outputs_flush(&request->kernel->outputs); /* what it printed comes first */
    if (result != 0)
        return result;
    buffer_append_char(&content, '{');
    append_error(&content, ename, evalue);
    buffer_append_char(&content, '}');
    return channels_publish(&request->kernel->channels,
                            &(struct outgoing){.msg_type = "error",
                                               .parent_header = request->message->header,
                                               .content = buffer_bytes(&content)});
}

int request_fail(struct request *request, const char *ename, const char *evalue)
{
    int result = 0;

    if (request->type == &execute_request && !request->execute.silent)
        result = publish_error(request, ename, evalue);
    if (result != 0) {
        request_free(request);
        return result;
    }
    return request_refuse(request, ename, "%s", evalue);
}
