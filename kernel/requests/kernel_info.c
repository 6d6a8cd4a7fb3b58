#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

/* Answered by the kernel process, so that it needs no interpreter, busy or not yet started. */
static int handle(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    cleanup_free char *banner =
        xasprintf("Python %s, guarded by safepyrun " SAFEPYRUN_VERSION, kernel->python_version);

    buffer_append_format(
        &content,
        "{\"status\":\"ok\",\"protocol_version\":\"" PROTOCOL_VERSION "\","
        "\"implementation\":\"safepyrun\",\"implementation_version\":\"" SAFEPYRUN_VERSION "\","
        "\"language_info\":{\"name\":\"python\",\"version\":\"%s\","
        "\"mimetype\":\"text/x-python\",\"file_extension\":\".py\","
        "\"pygments_lexer\":\"ipython3\","
        "\"codemirror_mode\":{\"name\":\"ipython\",\"version\":3},"
        "\"nbconvert_exporter\":\"python\"},"
        "\"safepyrun\":{\"version\":\"" SAFEPYRUN_VERSION "\",\"interpreter_ring\":%s,"
        "\"os_ring\":%s},"
        "\"debugger\":true,\"supported_features\":[\"iopub_welcome\",\"debugger\"],"
        "\"help_links\":[{\"text\":\"Python Reference\",\"url\":\"https://docs.python.org/%.*s\"}],"
        "\"banner\":",
        kernel->python_version, kernel->is_open ? "false" : "true",
        kernel->os_ring != NULL ? kernel->os_ring : "null", (int)strcspn(strchr(kernel->python_version, '.') + 1, ".") + 2,
        kernel->python_version);
    json_text_append_string(&content,
                            bytes_of_string(kernel->banner != NULL ? kernel->banner : banner));
    buffer_append_char(&content, '}');
    return request_reply(request, buffer_bytes(&content), BYTES_NONE);
}

const struct request_type kernel_info_request = {
    .msg_type = "kernel_info_request", /* messaging 5.6, "Kernel info"; JEP 80 for control */
    .reply_type = "kernel_info_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
