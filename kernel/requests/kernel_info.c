#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

/* Of documentation: the version without its last number. */
static void append_minor_version(struct buffer *content, const char *version)
{
    const char *minor = strchr(version, '.') + 1;

    buffer_append(content, (struct bytes){version, (size_t)(minor - version) + strcspn(minor, ".")});
}

static void append_banner(const struct kernel *kernel, struct buffer *content)
{
    cleanup_buffer struct buffer banner = BUFFER_NONE;

    if (kernel->banner != NULL) {
        json_text_append_string(content, bytes_of_string(kernel->banner));
        return;
    }
    buffer_append_format(&banner, "Python %s, guarded by safepyrun " SAFEPYRUN_VERSION, kernel->python_version);
    json_text_append_string(content, buffer_bytes(&banner));
}

/* Answered by the kernel process, so that it needs no interpreter, busy or not yet started. Not with a format: printf
   goes over so long a text letter by letter, and whoever asks on control asks often. */
static int handle(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;

    buffer_append_string(
        &content,
        "{\"status\":\"ok\",\"protocol_version\":\"" PROTOCOL_VERSION "\","
        "\"implementation\":\"safepyrun\",\"implementation_version\":\"" SAFEPYRUN_VERSION "\","
        "\"language_info\":{\"name\":\"python\",\"version\":\"");
    buffer_append_string(&content, kernel->python_version);
    buffer_append_string(
        &content,
        "\",\"mimetype\":\"text/x-python\",\"file_extension\":\".py\","
        "\"pygments_lexer\":\"ipython3\","
        "\"codemirror_mode\":{\"name\":\"ipython\",\"version\":3},"
        "\"nbconvert_exporter\":\"python\"},"
        "\"safepyrun\":{\"version\":\"" SAFEPYRUN_VERSION "\",\"interpreter_ring\":");
    buffer_append_string(&content, kernel->is_open ? "false" : "true");
    buffer_append_string(&content, ",\"os_ring\":");
    buffer_append_string(&content, kernel->os_ring != NULL ? kernel->os_ring : "null");
    buffer_append_string(
        &content,
        "},\"debugger\":true,\"supported_features\":[\"iopub_welcome\",\"debugger\",\"kernel subshells\"],"
        "\"help_links\":[{\"text\":\"Python Reference\",\"url\":\"https://docs.python.org/");
    append_minor_version(&content, kernel->python_version);
    buffer_append_string(&content, "\"}],\"banner\":");
    append_banner(kernel, &content);
    buffer_append_char(&content, '}');
    return request_reply(request, buffer_bytes(&content), BYTES_NONE);
}

const struct request_type kernel_info_request = {
    .msg_type = "kernel_info_request", /* messaging 5.6, "Kernel info"; JEP 80 for control */
    .reply_type = "kernel_info_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
