#include "kernel/mcp/call.h"

#include <string.h>

struct call *calls_add(struct calls *calls, enum tool tool, const json_t *id, const json_t *arguments,
                       const json_t *progress_token)
{
    struct call **end = &calls->first;
    struct call *call = xcalloc(1, sizeof(*call));

    while (*end != NULL)
        end = &(*end)->next;
    *call = (struct call){
        .tool = tool,
        .id = json_deep_copy(id),
        .arguments = json_deep_copy(arguments),
        .progress_token = progress_token != NULL ? json_deep_copy(progress_token) : NULL,
    };
    cell_result_init(&call->result);
    *end = call;
    return call;
}

struct call *calls_by_msg_id(const struct calls *calls, struct bytes msg_id)
{
    struct call *call = calls->first;

    while (call != NULL && (call->msg_id == NULL || !bytes_equal_string(msg_id, call->msg_id)))
        call = call->next;
    return call;
}

struct call *calls_by_id(const struct calls *calls, const json_t *id)
{
    struct call *call = calls->first;

    while (call != NULL && !json_equal(call->id, id))
        call = call->next;
    return call;
}

struct call *calls_first_run(const struct calls *calls)
{
    struct call *call = calls->first;

    while (call != NULL && !call_is_cell(call))
        call = call->next;
    return call;
}

void calls_remove(struct calls *calls, struct call *call)
{
    struct call **at = &calls->first;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    json_decref(call->id);
    json_decref(call->arguments);
    json_decref(call->progress_token);
    free(call->msg_id);
    cell_result_finish(&call->result);
    message_free(call->reply);
    buffer_finish(&call->news);
    free(call);
}
