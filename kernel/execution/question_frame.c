#include "kernel/execution/question_frame.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECONDS_MAX = 3600, PARTS = 4 };

static bool read_number(struct bytes part, unsigned long *ret_number)
{
    char digits[20];

    if (!bytes_are_digits(part, sizeof(digits) - 1))
        return false;
    snprintf(digits, sizeof(digits), "%.*s", (int)part.size, (const char *)part.data);
    *ret_number = strtoul(digits, NULL, 10);
    return true;
}

bool question_frame_read(const struct frame *frame, struct question_asked *ret_asked)
{
    struct question_asked asked;
    unsigned long row;

    if (frame->part_count != PARTS || !read_number(frame->parts[0], &asked.number) ||
        !read_number(frame->parts[1], &row) || !read_number(frame->parts[2], &asked.seconds) ||
        asked.seconds == 0 || asked.seconds > SECONDS_MAX)
        return false;
    asked.row = question_row(row);
    asked.subject = frame->parts[3];
    *ret_asked = asked;
    return asked.row != NULL;
}
