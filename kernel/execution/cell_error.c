#include "kernel/execution/cell_error.h"

#include "kernel/execution/breach.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

/* ---- an error that is too large --------------------------------------------------------------- */

static void append_cut(const struct kernel *kernel, struct bytes text, struct buffer *members)
{
    cleanup_buffer struct buffer cut = BUFFER_NONE;

    output_cap_append_cut(&kernel->outputs.cap, text, &cut);
    json_text_append_string(members, buffer_bytes(&cut));
}

static void append_cut_content(const struct kernel *kernel, struct bytes content,
                               struct buffer *members)
{
    static const char *const names[] = {"ename", "evalue"};
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct bytes value;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        buffer_clear(&text, 0);
        json_text_member_string(content, names[i], &text);
        buffer_append_format(members, "\"%s\":", names[i]);
        append_cut(kernel, buffer_bytes(&text), members);
        buffer_append_char(members, ',');
    }
    buffer_clear(&text, 0);
    if (json_text_member(content, "traceback", &value))
        json_text_append_lines(value, &text);
    buffer_append_string(members, "\"traceback\":[");
    append_cut(kernel, buffer_bytes(&text), members);
    buffer_append_char(members, ']');
}

/* ---- both -------------------------------------------------------------------------------------- */

static bool is_too_large(const struct kernel *kernel, struct bytes content)
{
    size_t limit = kernel->outputs.cap.limit_bytes;

    return limit != 0 && content.size > limit;
}

/* Appends ename, evalue and traceback; false when those of `content` are to stay. */
static bool append_content(const struct request *request, struct bytes content,
                           struct buffer *members)
{
    const struct kernel *kernel = request->kernel;

    if (breach_is_of(request))
        breach_append_content(request, content, members);
    else if (is_too_large(kernel, content))
        append_cut_content(kernel, content, members);
    return members->size != 0;
}

static int publish(struct kernel *kernel, uint32_t cell, struct bytes content,
                   struct bytes metadata)
{
    return outputs_publish(
        &kernel->outputs, cell,
        &(struct outgoing){.msg_type = "error", .content = content, .metadata = metadata});
}

static int publish_members(struct kernel *kernel, uint32_t cell, const struct buffer *members)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;

    buffer_append_char(&content, '{');
    buffer_append(&content, buffer_bytes(members));
    buffer_append_char(&content, '}');
    return publish(kernel, cell, buffer_bytes(&content), BYTES_NONE);
}

int cell_error_publish(struct kernel *kernel, const struct frame *frame)
{
    const struct request *request = kernel_running(kernel, frame->cell);
    cleanup_buffer struct buffer members = BUFFER_NONE;
    int result = outputs_turn(&kernel->outputs);

    if (result != 0)
        return result;
    if (request->type != &execute_request || !append_content(request, frame->parts[0], &members))
        return publish(kernel, frame->cell, frame->parts[0], frame->parts[1]);
    return publish_members(kernel, frame->cell, &members);
}

bool cell_error_is(struct bytes content)
{
    struct bytes status;

    return json_text_member(content, "status", &status) &&
           bytes_equal_string(status, "\"error\"");
}

int cell_error_finish(struct request *request, struct bytes content, struct buffer *ret_content)
{
    struct kernel *kernel = request->kernel;
    cleanup_buffer struct buffer members = BUFFER_NONE;
    bool failed = cell_error_is(content);
    int result = 0;

    if ((!failed && !breach_is_of(request)) || !append_content(request, content, &members))
        return 0;
    if (!failed)
        result = publish_members(kernel, request->cell, &members);
    buffer_append_string(ret_content, "{\"status\":\"error\",");
    buffer_append(ret_content, buffer_bytes(&members));
    buffer_append_format(ret_content,
                         ",\"execution_count\":%d,\"user_expressions\":{},\"payload\":[]}",
                         request->execute.execution_count);
    return result;
}
