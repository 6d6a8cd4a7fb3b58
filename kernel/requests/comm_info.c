#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

static int handle(struct kernel *kernel, struct request *request)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    cleanup_buffer struct buffer target = BUFFER_NONE;
    struct bytes value;
    bool has_target = json_text_member_given(request_content(request), "target_name", &value);

    if (has_target && !json_text_string(value, &target))
        return request_refuse(request, "ValueError", "\"target_name\" must be a string");
    buffer_append_char(&target, '\0');
    buffer_append_string(&content, "{\"status\":\"ok\",\"comms\":");
    comms_append_info(kernel->comms, has_target ? target.data : NULL, &content);
    buffer_append_char(&content, '}');
    return request_reply(request, buffer_bytes(&content), BYTES_NONE);
}

const struct request_type comm_info_request = {
    .msg_type = "comm_info_request", /* messaging 5.6, "Comm info" */
    .reply_type = "comm_info_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
