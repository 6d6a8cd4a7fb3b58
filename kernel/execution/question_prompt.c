#include "kernel/execution/question_prompt.h"

#include "kernel/wire/utf8.h"

static unsigned long code_point(const unsigned char *c, int length)
{
    unsigned long point = length == 2 ? c[0] & 0x1fu : length == 3 ? c[0] & 0x0fu : c[0] & 0x07u;

    for (int i = 1; i < length; i++)
        point = point << 6 | (c[i] & 0x3fu);
    return point;
}

/* Scripts that file names are written in. No space, no mark that moves or hides what stands beside
 * it. */
static bool is_shown(unsigned long point)
{
    static const unsigned long ranges[][2] = {
        {0x00a1, 0x00ac}, {0x00ae, 0x024f}, /* Latin; not the soft hyphen */
        {0x0370, 0x0482}, {0x048a, 0x052f}, /* Greek, Cyrillic */
        {0x3041, 0x3096}, {0x30a1, 0x30fa}, /* kana */
        {0x4e00, 0x9fff}, {0xac00, 0xd7a3}, /* Chinese characters, Hangul */
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return true;
    return false;
}

/* Returns how many bytes it took. */
static size_t append_character(struct buffer *prompt, struct bytes text, bool ascii_only)
{
    const unsigned char *c = text.data;
    int length = utf8_character(text);

    if (length <= 0 || c[0] < 0x20 || c[0] == 0x7f) {
        buffer_append_format(prompt, "\\x%02x", c[0]);
        return 1;
    }
    if (length > 1 && (ascii_only || !is_shown(code_point(c, length)))) {
        buffer_append_format(prompt, "\\u{%lx}", code_point(c, length));
        return (size_t)length;
    }
    if (c[0] == '"' || c[0] == '\\')
        buffer_append_char(prompt, '\\');
    buffer_append(prompt, (struct bytes){c, (size_t)length});
    return (size_t)length;
}

static void append_quoted(struct buffer *prompt, struct bytes text, bool ascii_only)
{
    buffer_append_char(prompt, '"');
    while (text.size > 0) {
        size_t taken = append_character(prompt, text, ascii_only);

        text = (struct bytes){(const char *)text.data + taken, text.size - taken};
    }
    buffer_append_char(prompt, '"');
}

static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((((const unsigned char *)text.data)[i] & 0x80) != 0)
            return false;
    return true;
}

void question_prompt_append(struct buffer *prompt, const struct question_words *words)
{
    buffer_append_format(prompt, "safepyrun asks you: the running cell wants to %s\n    ",
                         words->row->words);
    append_quoted(prompt, words->subject, false);
    if (!is_ascii(words->subject)) {
        buffer_append_string(prompt, "\n  = ");
        append_quoted(prompt, words->subject, true);
    }
    buffer_append_format(prompt,
                         "\nThe policy says no (%s). Type\n"
                         "    once %s      and it may, this one time;\n"
                         "    session %s   and it may, this very path, until the kernel ends.\n"
                         "Anything else is a no, and so is no answer in %ld s.\n"
                         "Your answer: ",
                         words->row->rule, words->code, words->code, words->seconds);
}
