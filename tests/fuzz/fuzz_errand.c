/* An ERRAND frame with any parts: what a person then reads has the kernel's own words on lines of their own. */
#include "kernel/execution/errand_frame.h"
#include "kernel/execution/errand_prompt.h"
#include "tests/fuzz/fuzz_parts.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>
#include <string.h>

enum { PARTS = 6 }; /* the rest is the text of the command */

static bool begins(struct bytes text, const char *words)
{
    return text.size >= strlen(words) && memcmp(text.data, words, strlen(words)) == 0;
}

/* Up to the folder, lines are marked as the command's, or tell what is not shown. */
static void check_prompt(const struct errand_asked *asked)
{
    cleanup_buffer struct buffer prompt = BUFFER_NONE;
    struct errand_words words = {asked->text, asked->folder, "0042", 7};
    size_t lines = 0;
    struct bytes rest;

    errand_prompt_append(&prompt, &words);
    rest = buffer_bytes(&prompt);
    assert(begins(rest, "safepyrun asks you"));
    for (const char *end; (end = memchr(rest.data, '\n', rest.size)) != NULL; lines++) {
        size_t size = (size_t)(end + 1 - (const char *)rest.data);

        rest = (struct bytes){end + 1, rest.size - size};
        if (begins(rest, "in the folder\n"))
            break;
        assert(begins(rest, "    | ") || begins(rest, "    |+ ") || begins(rest, "    = ") ||
               begins(rest, "    ["));
    }
    assert(lines >= 1 && lines <= 2 * ERRAND_LINES_MAX + 1);
    for (size_t i = 0; i < prompt.size; i++)
        assert(prompt.data[i] == '\n' || ((unsigned char)prompt.data[i] >= 0x20 && prompt.data[i] != 0x7f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes parts[PARTS];
    struct frame frame = {FRAME_ERRAND, 1, fuzz_parts_split((struct bytes){data, size}, parts, PARTS), parts};
    struct errand_asked asked;

    if (!errand_frame_read(&frame, &asked))
        return 0;
    assert(asked.outputs[0] != ERRAND_JOIN && asked.text.size > 0 && asked.folder.size > 0);
    check_prompt(&asked);
    return 0;
}
