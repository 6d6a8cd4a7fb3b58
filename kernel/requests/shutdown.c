#include "kernel/kernel.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

static int handle(struct kernel *kernel, struct request *request)
{
    struct bytes content;
    struct bytes value;
    bool restart = false;
    int result;

    if (json_text_member(request_content(request), "restart", &value) &&
        !json_text_bool(value, &restart))
        return request_refuse(request, "ValueError", "\"restart\" must be true or false");
    content = restart ? BYTES_LITERAL("{\"status\":\"ok\",\"restart\":true}")
                      : BYTES_LITERAL("{\"status\":\"ok\",\"restart\":false}");
    result = request_open(request);
    /* Everybody else hears it too: other clients of this kernel are about to lose it. */
    if (result == 0)
        result = channels_publish(&kernel->channels,
                                  &(struct outgoing){.msg_type = "shutdown_reply",
                                                     .parent_header = request->message->header,
                                                     .content = content});
    kernel_shut_down(kernel);
    return result != 0 ? result : request_reply(request, content, BYTES_NONE);
}

const struct request_type shutdown_request = {
    .msg_type = "shutdown_request", /* messaging 5.6, "Kernel shutdown" */
    .reply_type = "shutdown_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
