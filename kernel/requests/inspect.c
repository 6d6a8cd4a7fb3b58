#include "kernel/requests/requests.h"

/* Only the interpreter has the objects, so the question travels on; the answer closes the request. */
static int run(struct kernel *kernel, struct request *request)
{
    return requests_forward(kernel, request, FRAME_INSPECT);
}

const struct request_type inspect_request = {
    .msg_type = "inspect_request", /* messaging 5.6, "Introspection" */
    .reply_type = "inspect_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = requests_enqueue,
    .run = run,
};
