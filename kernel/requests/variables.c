#include "kernel/requests/requests.h"

/* Only the interpreter has the namespace; it tells without running anything of the user's. */
static int run(struct kernel *kernel, struct request *request)
{
    return requests_forward(kernel, request, FRAME_VARIABLES);
}

const struct request_type variables_request = {
    .msg_type = "safepyrun_variables_request", /* docs/messages.md */
    .reply_type = "safepyrun_variables_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = requests_enqueue,
    .run = run,
};
