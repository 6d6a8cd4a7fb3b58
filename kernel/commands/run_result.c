#include "kernel/commands/run_session.h"

#include "kernel/wire/json_text.h"

void run_result_finish(struct run_result *result)
{
    free(steal(result->error));
    buffer_finish(&result->result);
    buffer_finish(&result->streams[0]);
    buffer_finish(&result->streams[1]);
    buffer_finish(&result->denials);
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

/* What the guard wrote, on one line: in JSON ends of line are blanks, but where answers are lines, what follows one would pass for
 * the answer to another request. */
static void append_json(struct buffer *json, struct bytes value)
{
    size_t begin = json->size;

    buffer_append(json, value);
    for (size_t i = begin; i < json->size; i++)
        if (json->data[i] == '\n' || json->data[i] == '\r')
            json->data[i] = ' ';
}

void run_result_encode(const struct run_result *result, struct buffer *json)
{
    buffer_append_format(json, "{\"ok\": %s, \"result\": ", truth(result->ok));
    if (result->result.size > 0)
        append_json(json, buffer_bytes(&result->result));
    else
        buffer_append_string(json, "null");
    buffer_append_string(json, ", \"stdout\": ");
    json_text_append_string(json, buffer_bytes(&result->streams[0]));
    buffer_append_string(json, ", \"stderr\": ");
    json_text_append_string(json, buffer_bytes(&result->streams[1]));
    buffer_append_format(json, ", \"timed_out\": %s, \"resource_exceeded\": %s, \"error\": ",
                         truth(result->timed_out), truth(result->resource_exceeded));
    if (result->error != NULL)
        json_text_append_string(json, bytes_of_string(result->error));
    else
        buffer_append_string(json, "null");
    buffer_append_format(json, ", \"exit_code\": %d, \"denials\": [", result->exit_code);
    append_json(json, buffer_bytes(&result->denials));
    buffer_append_string(json, "]}");
}

bool run_result_print(const struct run_result *result)
{
    cleanup_buffer struct buffer json = BUFFER_NONE;

    run_result_encode(result, &json);
    buffer_append_char(&json, '\n');
    fwrite(json.data, 1, json.size, stdout);
    return fflush(stdout) == 0;
}
