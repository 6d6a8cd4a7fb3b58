#include "kernel/execution/main_shell.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

static int handle(struct kernel *kernel, struct request *request)
{
    struct subshell *subshell;
    int result;

    /* JEP 91 leaves open how a subshell is interrupted: here by naming it. One that is being deleted waits for its cell. */
    if (!subshells_find_named(kernel, request->message->header, &subshell))
        return subshells_refuse_unknown(request, request->message->header);
    result = subshell != NULL ? subshell_interrupt(subshell) : main_shell_interrupt(kernel);
    if (result != 0)
        return result;
    return request_reply(request, BYTES_LITERAL("{\"status\":\"ok\"}"), BYTES_NONE);
}

const struct request_type interrupt_request = {
    .msg_type = "interrupt_request", /* messaging 5.6, "Kernel interrupt" */
    .reply_type = "interrupt_reply",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = handle,
};
