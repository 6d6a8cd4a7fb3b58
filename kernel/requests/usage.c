#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

static int handle(struct kernel *kernel, struct request *request)
{
    const pid_t pids[] = {getpid(), kernel->guard.pid};
    json_t *figures = usage_to_json(&kernel->usage, pids, kernel->guard.pid != 0 ? 2 : 1);
    cleanup_free char *content = NULL;

    json_object_set_new(figures, "status", json_string("ok"));
    content = json_dumps(figures, JSON_COMPACT);
    json_decref(figures);
    if (content == NULL)
        return request_refuse(request, "RuntimeError", "the figures cannot be written");
    return request_reply(request, bytes_of_string(content), BYTES_NONE);
}

const struct request_type usage_request = {
    .msg_type = "usage_request", /* jupyter-resource-usage; ipykernel's fields */
    .reply_type = "usage_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
