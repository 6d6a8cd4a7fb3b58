/* An ASK frame with any parts: what a person then reads has the kernel's own words and lines, and one path in quotes. */
#include "kernel/execution/question_frame.h"
#include "kernel/execution/question_prompt.h"
#include "tests/fuzz/fuzz_parts.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>
#include <string.h>

enum { PARTS = 4 }; /* number, row, seconds; the rest is the path */

static size_t count_of(struct bytes text, char wanted)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += ((const char *)text.data)[i] == wanted;
    return count;
}

static void check_prompt(const struct question_asked *asked)
{
    cleanup_buffer struct buffer prompt = BUFFER_NONE;
    struct question_words words = {asked->row, asked->subject, "0042", (long)asked->seconds};
    const char *last = "Your answer: ";
    struct bytes text;

    question_prompt_append(&prompt, &words);
    text = buffer_bytes(&prompt);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = ((const unsigned char *)text.data)[i];

        assert(c == '\n' || (c >= 0x20 && c != 0x7f));
    }
    assert(count_of(text, '\n') == 6 || count_of(text, '\n') == 7);
    assert(text.size > strlen(last) &&
           memcmp((const char *)text.data + text.size - strlen(last), last, strlen(last)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes parts[PARTS];
    struct frame frame = {FRAME_ASK, 1, fuzz_parts_split((struct bytes){data, size}, parts, PARTS), parts};
    struct question_asked asked;

    if (!question_frame_read(&frame, &asked))
        return 0;
    assert(asked.row != NULL && asked.seconds >= 1 && asked.seconds <= 3600);
    if (asked.subject.size <= QUESTION_SUBJECT_BYTES_MAX)
        check_prompt(&asked);
    return 0;
}
