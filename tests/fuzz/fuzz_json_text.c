/* Whatever the bytes: no read beyond them, and what counts as JSON has members that are JSON. */
#include "kernel/wire/json_text.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    cleanup_buffer struct buffer whole = BUFFER_NONE;
    cleanup_buffer struct buffer quoted = BUFFER_NONE;
    struct bytes input = {data, size};
    struct bytes value;

    if (json_text_is_object(input, JSON_TEXT_STRICT)) {
        buffer_append_char(&whole, '{');
        buffer_append(&whole, json_text_inside(input));
        buffer_append_char(&whole, '}');
        assert(json_text_is_object(buffer_bytes(&whole), JSON_TEXT_STRICT));
        assert(json_text_is_object(input, JSON_TEXT_LENIENT));
        if (json_text_member(input, "code", &value))
            json_text_string(value, &text);
    }
    /* Any bytes become a valid JSON string. */
    buffer_append_string(&quoted, "{\"x\":");
    json_text_append_string(&quoted, input);
    buffer_append_char(&quoted, '}');
    assert(json_text_is_object(buffer_bytes(&quoted), JSON_TEXT_STRICT));
    return 0;
}
