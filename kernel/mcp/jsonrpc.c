#include "kernel/mcp/jsonrpc.h"

#include "guard/link/write_all.h"

#include <string.h>

enum { BITE = 64 * 1024 };

/* message TAKEN. jansson refuses to write what is no UTF-8, which nobody here makes. */
static int post(struct jsonrpc *rpc, json_t *message)
{
    cleanup_free char *text = message != NULL ? json_dumps(message, JSON_COMPACT) : NULL;
    cleanup_free char *line = text != NULL ? xasprintf("%s\n", text) : NULL;

    json_decref(message);
    return line != NULL ? write_all(rpc->output, bytes_of_string(line)) : -EILSEQ;
}

static json_t *copy_of(const json_t *id)
{
    return id != NULL ? json_deep_copy(id) : json_null();
}

int jsonrpc_answer(struct jsonrpc *rpc, const json_t *id, json_t *result)
{
    return post(rpc,
                json_pack("{ss so so}", "jsonrpc", "2.0", "id", copy_of(id), "result", result));
}

int jsonrpc_refuse(struct jsonrpc *rpc, const json_t *id, int code, const char *message,
                   json_t *data)
{
    json_t *error = json_pack("{si ss}", "code", code, "message", message);

    if (data != NULL)
        json_object_set_new(error, "data", data);
    return post(rpc, json_pack("{ss so so}", "jsonrpc", "2.0", "id", copy_of(id), "error", error));
}

int jsonrpc_notify(struct jsonrpc *rpc, const char *method, json_t *params)
{
    return post(rpc, json_pack("{ss ss so}", "jsonrpc", "2.0", "method", method, "params", params));
}

static bool is_id(const json_t *id)
{
    return id == NULL || json_is_string(id) || json_is_integer(id);
}

static int take_line(struct jsonrpc *rpc, struct bytes line)
{
    json_error_t error;
    json_t *message;
    int result;

    if (line.size == 0)
        return 0;
    message = json_loadb(line.data, line.size, JSON_ALLOW_NUL, &error);
    if (message == NULL) {
        /* jansson's words hold a piece of the line, which may be no text. */
        cleanup_free char *words = xasprintf("not JSON, at byte %d of the line", error.position);

        return jsonrpc_refuse(rpc, NULL, JSONRPC_PARSE_ERROR, words, NULL);
    }
    if (!json_is_object(message) || !is_id(json_object_get(message, "id")))
        result = jsonrpc_refuse(rpc, NULL, JSONRPC_INVALID_REQUEST,
                                "one object a line, with an id that is a string or a whole number",
                                NULL);
    else if (json_is_string(json_object_get(message, "method")))
        result = rpc->take(rpc->context, message);
    else if (json_object_get(message, "result") != NULL ||
             json_object_get(message, "error") != NULL)
        result = 0; /* an answer: nothing was asked */
    else
        result = jsonrpc_refuse(rpc, json_object_get(message, "id"), JSONRPC_INVALID_REQUEST,
                                "\"method\" must be a string", NULL);
    json_decref(message);
    return result;
}

/* Lines that are whole; the last one stays. Where a line ends that was too long, reading begins
 * anew. */
static int take_lines(struct jsonrpc *rpc)
{
    size_t begin = 0;
    const char *end;
    int result = 0;

    while (result == 0 && rpc->line.size > begin &&
           (end = memchr(rpc->line.data + begin, '\n', rpc->line.size - begin)) != NULL) {
        size_t size = (size_t)(end - rpc->line.data) - begin;

        if (!rpc->skips)
            result = take_line(rpc, (struct bytes){rpc->line.data + begin, size});
        rpc->skips = false;
        begin += size + 1;
    }
    buffer_drop_front(&rpc->line, begin);
    if (result == 0 && rpc->line.size > JSONRPC_LINE_MAX) {
        if (!rpc->skips)
            result =
                jsonrpc_refuse(rpc, NULL, JSONRPC_INVALID_REQUEST, "the line is too long", NULL);
        rpc->skips = true;
        buffer_clear(&rpc->line, 0);
    }
    return result;
}

int jsonrpc_read(struct jsonrpc *rpc)
{
    ssize_t count = read(rpc->input, buffer_reserve(&rpc->line, BITE), BITE);

    if (count < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    if (count == 0)
        return -ENODATA;
    buffer_commit(&rpc->line, (size_t)count);
    return take_lines(rpc);
}

void jsonrpc_finish(struct jsonrpc *rpc)
{
    buffer_finish(&rpc->line);
}
