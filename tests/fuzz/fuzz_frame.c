/* A guard that sends anything: every frame that comes out lies within the bytes that went in. */
#include "guard/link/frame.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_reader reader;
    struct frame frame;

    frame_reader_init(&reader, FRAME_TO_KERNEL);
    buffer_append(&reader.received, (struct bytes){data, size});
    while (frame_reader_next(&reader, &frame) == 0) {
        const struct frame_rule *rule = frame_rule(frame.type);

        assert(rule != NULL && rule->direction == FRAME_TO_KERNEL);
        for (size_t i = 0; i < frame.part_count; i++) {
            const char *part = frame.parts[i].data;

            assert(part >= reader.received.data);
            assert(part + frame.parts[i].size <= reader.received.data + reader.received.size);
        }
    }
    frame_reader_finish(&reader);
    return 0;
}
