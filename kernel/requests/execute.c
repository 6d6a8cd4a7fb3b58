#include "kernel/execution/account.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

enum { DEADLINE_SECONDS_MAX = 31536000 }; /* a year */

/* An optional boolean: absent or null means the default. */
static bool read_flag(struct bytes content, const char *key, bool *flag)
{
    struct bytes value;

    if (!json_text_member(content, key, &value) || bytes_equal_string(value, "null"))
        return true;
    return json_text_bool(value, flag);
}

/* Returns the name of the field that is wrong, or NULL. */
static const char *read_options(struct bytes content, struct execute_options *options)
{
    struct bytes value;

    if (!json_text_member(content, "code", &value) || value.size == 0 ||
        *(const char *)value.data != '"')
        return "\"code\" must be a string";
    options->silent = false;
    if (!read_flag(content, "silent", &options->silent))
        return "\"silent\" must be true or false";
    options->store_history = !options->silent;
    if (!read_flag(content, "store_history", &options->store_history))
        return "\"store_history\" must be true or false";
    options->stop_on_error = true;
    if (!read_flag(content, "stop_on_error", &options->stop_on_error))
        return "\"stop_on_error\" must be true or false";
    if (options->silent)
        options->store_history = false; /* messaging 5.6, "Execute": silent forces it */
    return NULL;
}

/* What its sender asks of this cell alone: docs/messages.md. Returns what is wrong, or NULL. */
static const char *read_wishes(struct bytes metadata, struct execute_options *options)
{
    struct bytes wishes;
    struct bytes value;

    if (!json_text_member(metadata, "safepyrun", &wishes))
        return NULL;
    if (wishes.size == 0 || *(const char *)wishes.data != '{')
        return "metadata \"safepyrun\" must be an object";
    if (json_text_member(wishes, "timeout_seconds", &value) &&
        (!json_text_integer(value, &options->deadline_seconds) || options->deadline_seconds < 1 ||
         options->deadline_seconds > DEADLINE_SECONDS_MAX))
        return "\"timeout_seconds\" in metadata \"safepyrun\" must be a whole number from 1 to 31536000";
    return NULL;
}

static int handle(struct kernel *kernel, struct request *request)
{
    const char *wrong = read_options(request_content(request), &request->execute);

    if (wrong == NULL)
        wrong = read_wishes(request->message->metadata, &request->execute);
    request->execute.execution_count = kernel->execution_count;
    if (wrong != NULL)
        return request_refuse(request, "ValueError", "execute_request: %s", wrong);
    return requests_enqueue(kernel, request);
}

/* What the guard may know of a request: enough for widgets that route output by msg_id. */
static void append_context(const struct request *request, struct buffer *context)
{
    struct bytes session = BYTES_LITERAL("\"\"");

    json_text_member(request->message->header, "session", &session);
    buffer_append_format(context, "{\"execution_count\":%d,\"msg_id\":",
                         request->execute.execution_count);
    json_text_append_string(context, bytes_of_string(request->message->msg_id));
    buffer_append_string(context, ",\"session\":");
    buffer_append(context, session);
    buffer_append_string(context, ",\"metadata\":");
    buffer_append(context, request->message->metadata);
    buffer_append_char(context, '}');
}

static int publish_input(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    struct bytes code = BYTES_LITERAL("\"\"");
    int result = request_open(request); /* busy comes first */

    if (result != 0)
        return result;
    json_text_member(request_content(request), "code", &code);
    buffer_append_string(&content, "{\"code\":");
    buffer_append(&content, code); /* as it came: what the client wrote, it gets back */
    buffer_append_format(&content, ",\"execution_count\":%d}", request->execute.execution_count);
    return outputs_publish(
        &kernel->outputs, request->cell,
        &(struct outgoing){.msg_type = "execute_input", .content = buffer_bytes(&content)});
}

static int run(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer context = BUFFER_NONE;
    struct bytes parts[2];
    int result;

    if (request->execute.store_history)
        kernel->execution_count++;
    request->execute.execution_count = kernel->execution_count;
    kernel->output_cell = request->cell;
    result = outputs_turn(&kernel->outputs); /* late output of the cell before */
    if (result != 0)
        return result;
    append_context(request, &context);
    parts[0] = request_content(request);
    parts[1] = buffer_bytes(&context);
    account_begin(kernel, request);
    guard_process_send(&kernel->guard, &(struct frame){FRAME_EXECUTE, request->cell, 2, parts});
    return publish_input(kernel, request);
}

const struct request_type execute_request = {
    .msg_type = "execute_request", /* messaging 5.6, "Execute" */
    .reply_type = "execute_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
    .run = run,
};
