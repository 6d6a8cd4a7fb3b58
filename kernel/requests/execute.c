#include "kernel/execution/account.h"
#include "kernel/execution/session_command.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

enum { DEADLINE_SECONDS_MAX = 31536000 }; /* a year */

/* An optional boolean: absent or null means the default. */
static bool read_flag(struct bytes content, const char *key, bool *flag)
{
    struct bytes value;

    return !json_text_member_given(content, key, &value) || json_text_bool(value, flag);
}

/* Returns what is wrong, or NULL. */
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
    if (!read_flag(wishes, "trial", &options->trial))
        return "\"trial\" in metadata \"safepyrun\" must be true or false";
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

/* Cells that speak to the kernel process begin with a percent sign; most do not, and are not decoded. */
static bool may_be_command(struct bytes code)
{
    const char *at = code.data;
    const char *end = at + code.size;

    for (at++; at < end && (*at == ' ' || (*at == '\\' && at + 1 < end)); at++)
        if (*at == '\\' && strchr("ntr", *++at) == NULL)
            return false;
    return at < end && *at == '%';
}

/* `ret_source` gets the decoded code, which the result looks into. */
static struct session_command_found find_command(const struct request *request,
                                                 struct buffer *ret_source)
{
    struct bytes code;

    if (request->execute.silent || !json_text_member(request_content(request), "code", &code) ||
        !may_be_command(code) || !json_text_string(code, ret_source))
        return (struct session_command_found){.command = COMMAND_NONE};
    return session_command_find(buffer_bytes(ret_source));
}

/* The content with what is tried as its code: of a name that is repeated, readers take the last. */
static void append_trial(const struct request *request, struct bytes body, struct buffer *content)
{
    buffer_append(content, request_content(request));
    while (content->size > 0 && content->data[content->size - 1] != '}')
        content->size--;
    content->size -= content->size > 0;
    buffer_append_string(content, ",\"code\":");
    json_text_append_string(content, body);
    buffer_append_char(content, '}');
}

static bool send(struct request *request,
                 const struct session_command_found *found)
{
    cleanup_buffer struct buffer context = BUFFER_NONE;
    cleanup_buffer struct buffer content = BUFFER_NONE;
    struct bytes parts[2];

    requests_append_context(request, &context);
    parts[0] = request_content(request);
    parts[1] = buffer_bytes(&context);
    if (found->command == COMMAND_TRIAL) {
        append_trial(request, found->body, &content);
        parts[0] = buffer_bytes(&content);
    }
    return requests_send(request, &(struct frame){FRAME_EXECUTE, request->cell, 2, parts});
}

/* What concerns the interpreter as a whole is for the main shell. Returns the words, or NULL. */
static const char *find_hindrance(const struct request *request, const struct session_command_found *found)
{
    if (request->subshell == NULL)
        return NULL;
    if (request->execute.trial || found->command == COMMAND_TRIAL)
        return "a cell can be tried in the main shell only";
    if (found->command != COMMAND_NONE)
        return "the session can be taken back from the main shell only";
    return NULL;
}

static int refuse(struct kernel *kernel, struct request *request, const char *why)
{
    request->execute.execution_count = kernel->execution_count;
    return requests_fail(request, "SubshellError", why);
}

/* Late output of the cell before, if none runs; bytes on fds 1 and 2 cannot tell two cells apart. */
static int turn_outputs(struct kernel *kernel, const struct request *request)
{
    if (request->subshell != NULL && (kernel->queue.running != NULL || subshells_work_beside(request)))
        return 0;
    kernel->output_cell = request->cell;
    return outputs_turn(&kernel->outputs);
}

/* Called twice for a trial that has to wait for its copy. */
static int run(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer source = BUFFER_NONE;
    struct session_command_found found = find_command(request, &source);
    const char *hindrance = find_hindrance(request, &found);
    int result;

    if (hindrance != NULL)
        return refuse(kernel, request, hindrance);
    if (found.command == COMMAND_TRIAL)
        request->execute.trial = true;
    if (request->execute.trial && !restore_begin_trial(kernel))
        return 0;
    if (request->execute.store_history)
        kernel->execution_count++;
    request->execute.execution_count = kernel->execution_count;
    result = turn_outputs(kernel, request);
    if (result != 0)
        return result;
    if (found.command == COMMAND_REWIND || found.command == COMMAND_RESET) {
        result = publish_input(kernel, request);
        return result != 0 ? result : session_command_run(kernel, &found);
    }
    account_begin(kernel, request);
    if (send(request, &found))
        return publish_input(kernel, request);
    if (request->execute.trial)
        kernel->restore.tries = false;
    return requests_refuse_size(request);
}

const struct request_type execute_request = {
    .msg_type = "execute_request", /* messaging 5.6, "Execute" */
    .reply_type = "execute_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
    .run = run,
};
