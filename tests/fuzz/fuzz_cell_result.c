/* Lines of type and content, as a guard could have made them: what an agent gets is JSON all the same. */
#include "kernel/mcp/cell_result.h"
#include "kernel/wire/json_text.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>
#include <string.h>

/* The letter in front of a line says which message it is. */
static const char *const types[] = {"stream", "execute_result", "display_data", "error",
                                    "clear_output"};

static void take(struct cell_result *result, struct bytes line)
{
    struct message message = {.content = {(const char *)line.data + 1, line.size - 1}};
    size_t type = *(const unsigned char *)line.data % (sizeof(types) / sizeof(types[0]));

    message.msg_type = (char *)types[type];
    if (json_text_is_object(message.content, JSON_TEXT_LENIENT))
        cell_result_take(result, &message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data;
    const char *end = at + size;
    struct cell_result result;
    struct message reply = {.content = BYTES_LITERAL("{}"), .metadata = BYTES_LITERAL("{}")};
    json_t *composed;
    char *text;

    cell_result_init(&result);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        struct bytes line = {at, (size_t)((stop != NULL ? stop : end) - at)};

        if (line.size > 1)
            take(&result, line);
        if (line.size > 1 && json_text_is_object((struct bytes){at + 1, line.size - 1}, JSON_TEXT_LENIENT))
            reply.content = (struct bytes){at + 1, line.size - 1};
        at += line.size + 1;
    }
    composed = cell_result_compose(&result, &reply);
    text = json_dumps(composed, JSON_COMPACT);
    assert(text != NULL);
    free(text);
    json_decref(composed);
    cell_result_finish(&result);
    return 0;
}
