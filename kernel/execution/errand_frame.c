#include "kernel/execution/errand_frame.h"

#include <limits.h>

enum { PARTS = 6, DIGITS_MAX = 20 };

static bool is_text(struct bytes part, size_t bytes_max)
{
    return part.size > 0 && part.size <= bytes_max && memchr(part.data, '\0', part.size) == NULL;
}

bool errand_frame_read(const struct frame *frame, struct errand_asked *ret_asked)
{
    struct errand_asked asked;

    if (frame->part_count != PARTS)
        return false;
    asked.number = frame->parts[0];
    asked.program = errand_program_find(frame->parts[1]);
    asked.outputs[0] = errand_output_find(frame->parts[2]);
    asked.outputs[1] = errand_output_find(frame->parts[3]);
    asked.folder = frame->parts[4];
    asked.text = frame->parts[5];
    *ret_asked = asked;
    return bytes_are_digits(asked.number, DIGITS_MAX) && asked.program != ERRAND_PROGRAM_COUNT &&
           (asked.outputs[0] == ERRAND_SHOW || asked.outputs[0] == ERRAND_KEEP) &&
           asked.outputs[1] != ERRAND_OUTPUT_COUNT && is_text(asked.folder, PATH_MAX) &&
           is_text(asked.text, ERRAND_TEXT_BYTES_MAX);
}
