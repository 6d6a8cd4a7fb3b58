/* comm_open, comm_msg and comm_close of a frontend: three types, one way. */
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

static bool forward(struct request *request, enum frame_type type)
{
    const struct message *message = request->message;
    size_t buffer_count = message_buffer_count(message);
    size_t count = 2 + buffer_count;
    cleanup_free struct bytes *parts = xcalloc(count, sizeof(*parts));
    cleanup_buffer struct buffer context = BUFFER_NONE;

    requests_append_context(request, &context);
    parts[0] = message->content;
    parts[1] = buffer_bytes(&context);
    for (size_t i = 0; i < buffer_count; i++)
        parts[2 + i] = message_buffer(message, i);
    return requests_send(request, &(struct frame){type, request->cell, count, parts});
}

static int run_open(struct kernel *kernel, struct request *request)
{
    if (!forward(request, FRAME_COMM_OPEN_REQUEST))
        return requests_refuse_size(request);
    comms_note_open(kernel->comms, request_content(request), request->cell);
    return 0;
}

static int run_msg(struct kernel *kernel, struct request *request)
{
    (void)kernel;
    return forward(request, FRAME_COMM_MSG_REQUEST) ? 0 : requests_refuse_size(request);
}

static int run_close(struct kernel *kernel, struct request *request)
{
    if (!forward(request, FRAME_COMM_CLOSE_REQUEST))
        return requests_refuse_size(request);
    comms_note_close(kernel->comms, request_content(request));
    return 0;
}

/* messaging 5.6, "Custom Messages"; none of the three is answered */
const struct request_type comm_open_request = {
    .msg_type = "comm_open",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = requests_enqueue,
    .run = run_open,
};

const struct request_type comm_msg_request = {
    .msg_type = "comm_msg",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = requests_enqueue,
    .run = run_msg,
};

const struct request_type comm_close_request = {
    .msg_type = "comm_close",
    .channels = ON_SHELL | ON_CONTROL,
    .handle = requests_enqueue,
    .run = run_close,
};
