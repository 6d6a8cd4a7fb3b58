/* A cell that writes anything into the socket of the tool processes: what is taken for a message is one, and its text lies in what came. */
#include "guard/tools/message.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>
#include <string.h>

/* The first byte says how many descriptors came along, and who reads. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tool_message message;
    enum tool_party reader;
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct bytes record;

    if (size == 0)
        return 0;
    reader = (enum tool_party)(data[0] / 8 % 3);
    record = (struct bytes){data + 1, size - 1};
    if (tool_message_parse(record, data[0] % 8, reader, &message) != 0)
        return 0;
    assert(message.type > TOOL_NONE && message.type < TOOL_MESSAGE_TYPE_COUNT);
    assert(message.size <= TOOL_TEXT_BYTES);
    assert(reader != TOOL_TO_STARTER || message.type == TOOL_SERVE || message.type == TOOL_CALL ||
           message.type == TOOL_BEGUN || message.type == TOOL_DONE);
    if (message.size > TOOL_INLINE_BYTES)
        return 0; /* in a memory file, which is not here */
    assert(tool_message_text(&message, &text) == 0);
    assert(text.size == message.size && text.size <= record.size);
    assert(text.size == 0 || memcmp(text.data, data + size - text.size, text.size) == 0);
    return 0;
}
