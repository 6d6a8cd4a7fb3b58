#include "kernel/execution/answered.h"

#include "kernel/kernel.h"

void answered_hold(struct kernel *kernel, struct request *request, struct bytes content, struct buffer *metadata)
{
    kernel->answered = (struct answered){.request = request, .content = content, .metadata = *metadata};
    *metadata = BUFFER_NONE;
}

int answered_send(struct kernel *kernel)
{
    struct answered answered = kernel->answered;
    int result = 0;

    kernel->answered = (struct answered){.request = NULL}; /* it is not the one that another must wait for */
    if (answered.request != NULL)
        result = request_reply(answered.request, answered.content, buffer_bytes(&answered.metadata));
    buffer_finish(&answered.metadata);
    return result;
}
