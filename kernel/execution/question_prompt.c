#include "kernel/execution/question_prompt.h"

#include "kernel/execution/visible.h"

/* Returns how many bytes it took. */
static size_t append_character(struct buffer *prompt, struct bytes text, bool ascii_only)
{
    struct visible_character character = visible_at(text);

    if (character.is_byte) {
        buffer_append_format(prompt, "\\x%02lx", character.point);
    } else if (!character.is_shown || (ascii_only && character.size > 1)) {
        buffer_append_format(prompt, "\\u{%lx}", character.point);
    } else {
        if (character.point == '"' || character.point == '\\')
            buffer_append_char(prompt, '\\');
        buffer_append(prompt, (struct bytes){text.data, character.size});
    }
    return character.size;
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

void question_prompt_append_path(struct buffer *prompt, struct bytes path)
{
    buffer_append_string(prompt, "    ");
    append_quoted(prompt, path, false);
    if (!visible_is_ascii(path)) {
        buffer_append_string(prompt, "\n  = ");
        append_quoted(prompt, path, true);
    }
}

void question_prompt_append(struct buffer *prompt, const struct question_words *words)
{
    buffer_append_format(prompt, "safepyrun asks you: the running cell wants to %s\n",
                         words->row->words);
    question_prompt_append_path(prompt, words->subject);
    buffer_append_format(prompt,
                         "\nThe policy says no (%s). Type\n"
                         "    once %s      and it may, this one time;\n"
                         "    session %s   and it may, this very path, until the kernel ends.\n"
                         "Anything else is a no, and so is no answer in %ld s.\n"
                         "Your answer: ",
                         words->row->rule, words->code, words->code, words->seconds);
}
