#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

/* Deprecated since 5.1, and still asked. */
static int handle(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;

    buffer_append_string(&content, "{\"status\":\"ok\"");
    for (int channel = 0; channel < CHANNEL_COUNT; channel++)
        buffer_append_format(&content, ",\"%s_port\":%d", channel_name((enum channel)channel),
                             kernel->connection_file.ports[channel]);
    buffer_append_char(&content, '}');
    return request_reply(request, buffer_bytes(&content), BYTES_NONE);
}

const struct request_type connect_request = {
    .msg_type = "connect_request", /* messaging 5.6, "Connect" */
    .reply_type = "connect_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
