#include "kernel/requests/requests.h"

/* Only the interpreter can parse Python, so the question travels on; the answer closes the request. */
static int run(struct kernel *kernel, struct request *request)
{
    return requests_forward(kernel, request, FRAME_IS_COMPLETE);
}

const struct request_type is_complete_request = {
    .msg_type = "is_complete_request", /* messaging 5.6, "Code completeness" */
    .reply_type = "is_complete_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = requests_enqueue,
    .run = run,
};
