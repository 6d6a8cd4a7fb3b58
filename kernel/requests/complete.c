#include "kernel/requests/requests.h"

/* Only the interpreter knows the names, so the question travels on; the answer closes the request. */
static int run(struct kernel *kernel, struct request *request)
{
    return requests_forward(kernel, request, FRAME_COMPLETE);
}

const struct request_type complete_request = {
    .msg_type = "complete_request", /* messaging 5.6, "Completion" */
    .reply_type = "complete_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = requests_enqueue,
    .run = run,
};
